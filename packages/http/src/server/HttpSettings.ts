/** What an instance may decide about its HTTP side. The defaults are the safe ones. */
import { Context } from "effect"
import type { IpNetwork } from "effect/net"
import type { Bounds } from "./internal/Places.ts"

/** How much of this instance requests may take, whoever sends them. Beyond a bound of one caller: 429; of all: 503. */
export interface RequestLimits {
  /** For an answer, or its first byte, beyond the time that the caller asked to wait; then 503. */
  readonly deadlineMillis: number
  /** A reader that takes nothing of an answer for so long loses its connection. */
  readonly stalledMillis: number
  /** Streamed results and outputs under way at once; each holds a window of 64 KiB. */
  readonly longAnswers: Bounds
  /** Bytes of other answers above 64 KiB, such as long lists, until they are sent. */
  readonly answerBytes: Bounds
  /** Requests that wait for the end of an execution. */
  readonly heldRequests: Bounds
  /** Bytes of request bodies above 16 KiB, until they are answered. Of one that does not say its length: the most that it may have. */
  readonly bodyBytes: Bounds
}

export interface HttpSettingsShape {
  /**
   * Proxies of ours. Only their `X-Forwarded-For`, `-Proto` and `-Host` are believed, read from the right; for everybody
   * else the address is the socket's.
   */
  readonly trustedProxies: ReadonlyArray<IpNetwork.IpNetwork>
  /**
   * Names under which clients reach us, in lower case without port, besides addresses and `localhost`; requests to others are answered with
   * 421. `*` stands for any, where a proxy in front checks.
   */
  readonly allowedHosts: ReadonlyArray<string>
  /** Origins of other sites whose pages may call with credentials, exactly as browsers send them. Empty: CORS is off. */
  readonly allowedOrigins: ReadonlyArray<string>
  /** `auto`: cookies are `Secure` when the request came over https. `always`: also behind a proxy that is not trusted. */
  readonly secureCookies: "auto" | "always"
  /**
   * What becomes of requests that present no credential. `required`: 401. `optional`: they act as `anonymous` of core. `disabled`: those of
   * this machine act as `local` of core, others get 401. What the built-in principal may not do answers 401 in each of them, and
   * so does a credential that is presented and does not verify.
   */
  readonly authMode: "required" | "optional" | "disabled"
  /** Who may read `/metrics`: a direct peer on this machine or a caller with `health:read`; only the latter; or everybody. */
  readonly metricsAccess: "local" | "permission" | "public"
  /** Whether `/docs`, `/redoc` and `/openapi.json` are served. */
  readonly docs: boolean
  /**
   * Path under which clients see us, for what a proxy takes off before the request comes: `/cp`. A mount knows its own prefix. It is the
   * server in `/openapi.json`, and the path of cookies.
   */
  readonly publicPath: string
  /**
   * Behind the names `access_token` and `csrf_token`, for instances that share a host name. `undefined` makes it of the path, so that only
   * instances at the root of different ports need one. Letters, digits, `_` and `-`.
   */
  readonly cookieSuffix: string | undefined
  readonly limits: RequestLimits
}

export const defaultSettings: HttpSettingsShape = {
  trustedProxies: [],
  allowedHosts: [],
  allowedOrigins: [],
  secureCookies: "auto",
  authMode: "required",
  metricsAccess: "local",
  docs: true,
  publicPath: "",
  cookieSuffix: undefined,
  limits: {
    deadlineMillis: 20_000,
    stalledMillis: 15_000,
    longAnswers: { perKey: 6, total: 32 },
    answerBytes: { perKey: 8 * 1024 ** 2, total: 64 * 1024 ** 2 },
    heldRequests: { perKey: 256, total: 4_096 },
    bodyBytes: { perKey: 2 * 1024 ** 2, total: 32 * 1024 ** 2 }
  }
}

/** `Layer.succeed(HttpSettings, { ...defaultSettings, … })` around everything that is served. */
export const HttpSettings = Context.Reference<HttpSettingsShape>("@fairlead/http/server/HttpSettings", {
  defaultValue: () => defaultSettings
})
