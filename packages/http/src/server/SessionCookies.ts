/** The two cookies of a login: set and cleared with the same attributes, or browsers would keep the old ones. */
import type { SessionTokens } from "@fairlead/core/auth/sessions/SessionTokens"
import { Duration, Effect, Redacted } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import { accessCookie, csrfCookie } from "../api/Access.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { RequestOrigin } from "./RequestOrigin.ts"

/** `Secure` would make clients on plain http lose the cookie, so it depends on how the request came. */
const attributes = Effect.gen(function* () {
  const { secureCookies } = yield* HttpSettings
  const { secure } = yield* RequestOrigin
  return { secure: secure || secureCookies === "always", sameSite: "strict", path: "/" } as const
})

export const setSessionCookies = Effect.fnUntraced(function* (tokens: SessionTokens) {
  const shared = { ...(yield* attributes), maxAge: Duration.seconds(tokens.cookieTokenSeconds) }
  yield* HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(
      response.pipe(
        HttpServerResponse.setCookieUnsafe(accessCookie, Redacted.value(tokens.cookieToken), {
          ...shared,
          httpOnly: true
        }),
        HttpServerResponse.setCookieUnsafe(csrfCookie, tokens.csrfToken, shared)
      )
    )
  )
})

export const clearSessionCookies = Effect.gen(function* () {
  const shared = yield* attributes
  yield* HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(
      response.pipe(
        HttpServerResponse.expireCookieUnsafe(accessCookie, { ...shared, httpOnly: true }),
        HttpServerResponse.expireCookieUnsafe(csrfCookie, shared)
      )
    )
  )
})
