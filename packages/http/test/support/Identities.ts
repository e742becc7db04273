/**
 * Callers for tests of handlers: who holds which token, without passwords or storage. A cookie `cookie-<name>`, a bearer token
 * `bearer-<name>` and an API key `key-<name>` stand for the same person; `csrf-<name>` is their CSRF token.
 */
import { TokenRejected } from "@fairlead/core/auth/AuthError"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import type { Credential, Principal } from "@fairlead/core/auth/Principal"
import { grantsOf, type Role } from "@fairlead/core/auth/roles/Role"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { ApiKeyId } from "@fairlead/core/ids/ApiKeyId"
import { SessionId } from "@fairlead/core/ids/SessionId"
import { UserId } from "@fairlead/core/ids/UserId"
import { Effect, Layer, Redacted } from "effect"

const uuid = (kind: number, person: number) =>
  `019a0000-0000-7000-8000-${`${kind}`.padStart(4, "0")}${`${person}`.padStart(8, "0")}`

const people = {
  anna: "user",
  bert: "user",
  vera: "viewer",
  olga: "operator",
  adam: "admin"
} as const satisfies Record<string, Role>
export type Person = keyof typeof people
const names = ["anna", "bert", "vera", "olga", "adam"] as const

export const userIdOf = (person: Person) => UserId.make(uuid(1, names.indexOf(person)))
export const sessionIdOf = (person: Person) => SessionId.make(uuid(2, names.indexOf(person)))

const known = (name: string | undefined) => names.find((person) => person === name)

type Kind = Exclude<Credential["_tag"], "None">

const principalOf = (person: Person, kind: Kind): Principal => ({
  userId: userIdOf(person),
  username: person,
  role: people[person],
  grants: grantsOf(people[person]),
  credential:
    kind === "ApiKey"
      ? { _tag: kind, apiKeyId: ApiKeyId.make(uuid(3, names.indexOf(person))) }
      : { _tag: kind, sessionId: sessionIdOf(person) }
})

const holderOf = (kind: Kind, prefix: string, token: Redacted.Redacted) => {
  const text = Redacted.value(token)
  const person = text.startsWith(prefix) ? known(text.slice(prefix.length)) : undefined
  return person === undefined ? Effect.fail(new TokenRejected()) : Effect.succeed(principalOf(person, kind))
}

const unused = Effect.die("not used by this test")

/** Knows callers; whatever else a session or key can do is a defect here. */
export const layer = Layer.merge(
  Layer.succeed(
    Sessions,
    Sessions.of({
      authenticate: (kind, token) => holderOf(kind === "cookie" ? "Cookie" : "Bearer", `${kind}-`, token),
      verifyCsrf: (sessionId, token) =>
        Effect.succeed(names.some((person) => sessionIdOf(person) === sessionId && token === `csrf-${person}`)),
      issueCsrf: (sessionId) =>
        Effect.succeed(`csrf-${names.find((person) => sessionIdOf(person) === sessionId) ?? "nobody"}`),
      awaitRevocation: () => Effect.never,
      login: () => unused,
      refresh: () => unused,
      logout: () => unused,
      logoutByRefreshToken: () => unused
    })
  ),
  Layer.succeed(
    ApiKeys,
    ApiKeys.of({
      authenticate: (token) => holderOf("ApiKey", "fairlead_", token),
      create: () => unused,
      list: () => unused,
      revoke: () => unused,
      revokeAll: () => unused
    })
  )
)

/** Headers of a call by that person; a cookie comes with its CSRF token. */
export const as = (person: Person, via: "cookie" | "bearer" | "key" = "bearer"): Record<string, string> => {
  if (via === "bearer") return { authorization: `Bearer bearer-${person}` }
  if (via === "key") return { "x-api-key": `fairlead_${person}` }
  return { cookie: `access_token=cookie-${person}; csrf_token=csrf-${person}`, "x-csrf-token": `csrf-${person}` }
}
