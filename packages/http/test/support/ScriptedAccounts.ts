/**
 * The auth services with answers known in advance, for tests of what the wire makes of them: each error of the ports has an input
 * that raises it. Ended sessions and updates are written down in order.
 */
import {
  ApiKeyNotFound,
  ApiKeysExhausted,
  CredentialsRejected,
  CurrentPasswordWrong,
  LoginLocked,
  LoginsBusy,
  PasswordTooWeak,
  RegistrationClosed,
  RegistrationsExhausted,
  TokenRejected,
  UsernameTaken
} from "@fairlead/core/auth/AuthError"
import { ApiKey } from "@fairlead/core/auth/api-keys/ApiKey"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { SessionTokens } from "@fairlead/core/auth/sessions/SessionTokens"
import { User } from "@fairlead/core/auth/users/User"
import { Users } from "@fairlead/core/auth/users/Users"
import { ApiKeyId } from "@fairlead/core/ids/ApiKeyId"
import { Context, DateTime, Effect, Layer, Redacted, Ref } from "effect"
import * as Identities from "./Identities.ts"

const createdAt = DateTime.makeUnsafe("2026-01-01T00:00:00.000Z")
const anna = new User({
  userId: Identities.userIdOf("anna"),
  username: "anna",
  email: "anna@example.com",
  role: "user",
  isActive: true,
  createdAt,
  updatedAt: createdAt,
  version: 1
})
const tokens: SessionTokens = {
  user: anna,
  sessionId: Identities.sessionIdOf("anna"),
  accessToken: Redacted.make("bearer-anna"),
  accessTokenSeconds: 3600,
  cookieToken: Redacted.make("cookie-anna"),
  cookieTokenSeconds: 86_400,
  refreshToken: Redacted.make("refresh-anna"),
  csrfToken: "csrf-anna"
}
export const heldKeyId = ApiKeyId.make("019a0000-0000-7000-8000-00000000aaaa")
const heldKey = new ApiKey({ apiKeyId: heldKeyId, ownerId: anna.userId, name: "nightly", createdAt })

/** What was asked for, in words. */
export class Asked extends Context.Service<Asked, Ref.Ref<ReadonlyArray<string>>>()("test/Asked") {
  static readonly layer = Layer.effect(Asked, Ref.make<ReadonlyArray<string>>([]))
}
const note = (asked: Asked["Service"], words: string) => Ref.update(asked, (known) => [...known, words])

const failureOf = (password: Redacted.Redacted) => {
  if (Redacted.value(password) === "weak")
    return Effect.fail(new PasswordTooWeak({ rules: ["too_short"], minimumLength: 8 }))
  if (Redacted.value(password) === "busy") return Effect.fail(new LoginsBusy({ retryAfterSeconds: 2 }))
  return Effect.void
}

const layerUsers = Layer.effect(
  Users,
  Effect.gen(function* () {
    const asked = yield* Asked
    return Users.of({
      register: Effect.fnUntraced(function* (user) {
        if (user.username === "taken") return yield* new UsernameTaken({ username: user.username })
        if (user.email === "closed@example.com") return yield* new RegistrationClosed()
        if (user.email === "many@example.com")
          return yield* new RegistrationsExhausted({ maximum: 20, retryAfterSeconds: 60 })
        yield* failureOf(user.password)
        return new User({ ...anna, username: user.username ?? "named", email: user.email })
      }),
      ensure: () => Effect.die("not on the wire"),
      self: () => Effect.succeed(anna),
      updateProfile: Effect.fnUntraced(function* (_caller, change) {
        yield* note(asked, `update ${JSON.stringify(change)}`)
        return new User({ ...anna, ...(change.fullName === undefined ? {} : { fullName: change.fullName }) })
      }),
      changePassword: Effect.fnUntraced(function* (_caller, { current, next }) {
        if (Redacted.value(current) === "locked") return yield* new LoginLocked({ retryAfterSeconds: 900 })
        if (Redacted.value(current) !== "right") return yield* new CurrentPasswordWrong()
        yield* failureOf(next)
      })
    })
  })
)

const layerSessions = Layer.effect(
  Sessions,
  Effect.gen(function* () {
    const asked = yield* Asked
    const identified = yield* Sessions
    return Sessions.of({
      ...identified,
      login: Effect.fnUntraced(function* (login, password) {
        if (login === "locked") return yield* new LoginLocked({ retryAfterSeconds: 900 })
        if (login === "busy") return yield* new LoginsBusy({ retryAfterSeconds: 2 })
        if (Redacted.value(password) !== "right") return yield* new CredentialsRejected()
        return tokens
      }),
      refresh: (token) =>
        Redacted.value(token) === "refresh-anna" ? Effect.succeed(tokens) : Effect.fail(new TokenRejected()),
      logout: (sessionId) => note(asked, `end ${sessionId}`),
      logoutByRefreshToken: (token) => note(asked, `end family of ${Redacted.value(token)}`)
    })
  })
)

const layerApiKeys = Layer.effect(
  ApiKeys,
  Effect.gen(function* () {
    const asked = yield* Asked
    const identified = yield* ApiKeys
    return ApiKeys.of({
      ...identified,
      create: Effect.fnUntraced(function* (_caller, { name }, { userAgent }) {
        if (name === "one too many") return yield* new ApiKeysExhausted({ maximum: 50 })
        yield* note(asked, `key ${name} by ${userAgent}`)
        return { apiKey: new ApiKey({ ...heldKey, name }), key: Redacted.make("flk_shown_once") }
      }),
      list: () => Effect.succeed([heldKey]),
      revoke: Effect.fnUntraced(function* (_caller, id, { userAgent }) {
        if (id !== heldKeyId) return yield* new ApiKeyNotFound({ apiKeyId: id })
        yield* note(asked, `end key by ${userAgent}`)
      })
    })
  })
)

export const layer = Layer.mergeAll(layerUsers, layerSessions, layerApiKeys).pipe(
  Layer.provide(Identities.layer),
  Layer.provideMerge(Asked.layer)
)
