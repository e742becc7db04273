/** Binds `/auth` to the services of the auth areas. No decisions here: call, translate, return. */
import type { ApiKey } from "@fairlead/core/auth/api-keys/ApiKey"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { sessionIdOf } from "@fairlead/core/auth/Principal"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { SessionTokens } from "@fairlead/core/auth/sessions/SessionTokens"
import { Users } from "@fairlead/core/auth/users/Users"
import { Effect, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "../../api/Access.ts"
import { AuthApi, Tokens, User, Verified } from "../../api/auth/AuthApi.ts"
import { userView } from "../../api/auth/UserView.ts"
import { CurrentRequestSource } from "../CurrentRequestSource.ts"
import { answered } from "../internal/answered.ts"
import { bearerOf } from "../internal/bearerOf.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"
import { clearSessionCookies, ownCookies, setSessionCookies } from "./SessionCookies.ts"

export const AuthHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(AuthApi),
  "auth",
  Effect.fnUntraced(function* (handlers) {
    const users = yield* Users
    const sessions = yield* Sessions
    const apiKeys = yield* ApiKeys

    /** The request's own CSRF token if it is one of the session; else a fresh one; nothing for an API key. */
    const csrfOf = Effect.fnUntraced(function* () {
      const sessionId = sessionIdOf(yield* CurrentPrincipal)
      if (sessionId === undefined) return ""
      const own = (yield* HttpServerRequest.HttpServerRequest).cookies[(yield* ownCookies).csrf]
      if (own !== undefined && (yield* sessions.verifyCsrf(sessionId, own))) return own
      return yield* sessions.issueCsrf(sessionId)
    })

    const endSession = Effect.fnUntraced(
      function* (kind: "cookie" | "bearer", token: string | undefined) {
        if (token === undefined) return
        const sessionId = sessionIdOf(yield* sessions.authenticate(kind, Redacted.make(token)))
        if (sessionId !== undefined) yield* sessions.logout(sessionId, yield* CurrentRequestSource)
      },
      Effect.catchTag("TokenRejected", () => Effect.void)
    )

    return handlers.handleAll({
      login: Effect.fnUntraced(function* ({ payload }) {
        const tokens = yield* sessions.login(payload.username, payload.password, yield* CurrentRequestSource)
        yield* setSessionCookies(tokens)
        return answered(Tokens, tokensView("Login successful", tokens))
      }),
      register: Effect.fnUntraced(function* ({ payload }) {
        const user = yield* users.register(
          {
            username: payload.username,
            email: payload.email,
            fullName: payload.full_name,
            password: payload.password
          },
          yield* CurrentRequestSource
        )
        const view = userView(user)
        return { ...view, message: "User created successfully", user: view }
      }),
      refresh: Effect.fnUntraced(function* ({ payload }) {
        const tokens = yield* sessions.refresh(payload.refresh_token, yield* CurrentRequestSource)
        yield* setSessionCookies(tokens)
        return answered(Tokens, tokensView("Token refreshed", tokens))
      }),
      logout: Effect.fnUntraced(function* ({ payload, request }) {
        yield* endSession("cookie", request.cookies[(yield* ownCookies).access])
        yield* endSession("bearer", bearerOf(request.headers["authorization"]))
        if (payload?.refresh_token !== undefined)
          yield* sessions.logoutByRefreshToken(payload.refresh_token, yield* CurrentRequestSource)
        yield* clearSessionCookies
        return { message: "Logged out successfully" }
      }),
      verify: Effect.fnUntraced(function* () {
        const { role, username } = yield* CurrentPrincipal
        return answered(Verified, { valid: true, username, role, csrfToken: yield* csrfOf() })
      }),
      self: Effect.fnUntraced(function* () {
        return answered(User, userView(yield* users.self(yield* CurrentPrincipal)))
      }),
      updateSelf: Effect.fnUntraced(function* ({ payload }) {
        const change = { fullName: payload.full_name }
        const user = yield* users.updateProfile(yield* CurrentPrincipal, change, yield* CurrentRequestSource)
        return answered(User, userView(user))
      }),
      changePassword: Effect.fnUntraced(function* ({ payload }) {
        const change = { current: payload.current_password, next: payload.new_password }
        yield* users.changePassword(yield* CurrentPrincipal, change, yield* CurrentRequestSource)
        return { message: "Password changed successfully" }
      }),
      createApiKey: Effect.fnUntraced(function* ({ payload }) {
        const request = { name: payload.name, expiresInDays: payload.expires_in }
        const { apiKey, key } = yield* apiKeys.create(yield* CurrentPrincipal, request, yield* CurrentRequestSource)
        return { ...keyView(apiKey), key: Redacted.value(key) }
      }),
      listApiKeys: Effect.fnUntraced(function* () {
        const keys = yield* apiKeys.list(yield* CurrentPrincipal)
        return keys.map((apiKey) => ({ ...keyView(apiKey), lastUsed: apiKey.lastUsedAt ?? null }))
      }),
      revokeApiKey: Effect.fnUntraced(function* ({ params }) {
        yield* apiKeys.revoke(yield* CurrentPrincipal, params.key_id, yield* CurrentRequestSource)
        return { message: "API key deleted" }
      })
    })
  }, withServices)
).pipe(lean)

const tokensView = (message: string, tokens: SessionTokens) => ({
  message,
  username: tokens.user.username,
  role: tokens.user.role,
  csrfToken: tokens.csrfToken,
  accessToken: Redacted.value(tokens.accessToken),
  refreshToken: Redacted.value(tokens.refreshToken),
  expiresIn: tokens.accessTokenSeconds,
  tokenType: "Bearer" as const,
  user: userView(tokens.user)
})

const keyView = ({ apiKeyId, createdAt, expiresAt, name }: ApiKey) => ({
  id: apiKeyId,
  name,
  createdAt,
  expiresAt: expiresAt ?? null
})
