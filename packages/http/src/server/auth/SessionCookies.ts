/** The two cookies of a login: set and cleared with the same attributes, or browsers would keep the old ones. */
import type { SessionTokens } from "@fairlead/core/auth/sessions/SessionTokens"
import { Duration, Effect, Redacted } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import { accessCookie, csrfCookie } from "../../api/Access.ts"
import { CurrentRequestSource } from "../CurrentRequestSource.ts"
import { HttpSettings, type HttpSettingsShape } from "../HttpSettings.ts"
import { MountPath, publicPathOf } from "../Mount.ts"

export interface CookieNames {
  readonly access: string
  readonly csrf: string
}

/**
 * Browsers send a cookie of `/` to every instance on the same name, whatever its port and path, so one that is mounted under `/cp` calls
 * its own `access_token_cp`. At the root the names are those of the documents, unless the settings give a suffix.
 */
export const cookieNames = (settings: Pick<HttpSettingsShape, "cookieSuffix" | "publicPath">, mountPath: string) => {
  const suffix = settings.cookieSuffix ?? publicPathOf(settings, mountPath).replace(/[^A-Za-z0-9]+/g, "_")
  const names: CookieNames = { access: accessCookie + suffix, csrf: csrfCookie + suffix }
  return names
}

/** Those that the request in hand may bear. */
export const ownCookies = Effect.gen(function* () {
  return cookieNames(yield* HttpSettings, yield* MountPath)
})

/** `Secure` would make clients on plain http lose the cookie, so it depends on how the request came. */
const cookies = Effect.gen(function* () {
  const settings = yield* HttpSettings
  const { secure } = yield* CurrentRequestSource
  const path = publicPathOf(settings, yield* MountPath)
  const attributes = {
    secure: secure || settings.secureCookies === "always",
    sameSite: "strict",
    path: path === "" ? "/" : path
  } as const
  return { names: yield* ownCookies, attributes }
})

export const setSessionCookies = Effect.fnUntraced(function* (tokens: SessionTokens) {
  const { attributes, names } = yield* cookies
  const shared = { ...attributes, maxAge: Duration.seconds(tokens.cookieTokenSeconds) }
  yield* HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(
      response.pipe(
        HttpServerResponse.setCookieUnsafe(names.access, Redacted.value(tokens.cookieToken), {
          ...shared,
          httpOnly: true
        }),
        HttpServerResponse.setCookieUnsafe(names.csrf, tokens.csrfToken, shared)
      )
    )
  )
})

export const clearSessionCookies = Effect.gen(function* () {
  const { attributes, names } = yield* cookies
  yield* HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(
      response.pipe(
        HttpServerResponse.expireCookieUnsafe(names.access, { ...attributes, httpOnly: true }),
        HttpServerResponse.expireCookieUnsafe(names.csrf, attributes)
      )
    )
  )
})
