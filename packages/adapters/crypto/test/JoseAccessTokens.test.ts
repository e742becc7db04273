import { assert, describe, it } from "@effect/vitest"
import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import * as JoseAccessTokens from "@fairlead/crypto/JoseAccessTokens"
import * as AccessTokensContract from "@fairlead/testing/contracts/AccessTokensContract"
import { sessionId } from "@fairlead/testing/fixtures/AuthFixtures"
import { userId } from "@fairlead/testing/fixtures/Uuid"
import { DateTime, Effect, Redacted } from "effect"
import { base64url, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose"

const text = "0123456789abcdef0123456789abcdef"
const key = new TextEncoder().encode(text)
const options = { secret: Redacted.make(text), issuer: "https://fairlead.test" }
const tokens = JoseAccessTokens.layer(options)

AccessTokensContract.suite("jose", tokens)

/** What a token of ours says; the tests' clock stands at 1970. */
const payload: JWTPayload = {
  sub: userId(1),
  sid: sessionId(1),
  kind: "bearer",
  iss: options.issuer,
  aud: "fairlead",
  exp: 3_600
}
const header: JWTHeaderParameters = { alg: "HS256", typ: "JWT" }

const signed = (claims: JWTPayload, protectedHeader: JWTHeaderParameters = header, secret = key) =>
  Effect.promise(() => new SignJWT(claims).setProtectedHeader(protectedHeader).sign(secret))
const without = (name: keyof typeof payload) =>
  Object.fromEntries(Object.entries(payload).filter(([key]) => key !== name))

const accepts = (token: string) =>
  Effect.flatMap(AccessTokens, ({ verify }) =>
    verify("bearer", Redacted.make(token)).pipe(
      Effect.as(true),
      Effect.catchTag("TokenRejected", () => Effect.succeed(false))
    )
  )
const part = (value: object) => base64url.encode(JSON.stringify(value))

it.layer(tokens)("JoseAccessTokens", (it) => {
  it.effect("accepts what it would sign itself", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* accepts(yield* signed(payload)))
    })
  )

  it.effect("writes what other parties read: HS256, issuer, audience, subject, session, kind, times", () =>
    Effect.gen(function* () {
      const { sign } = yield* AccessTokens
      const claims = { kind: "cookie", userId: userId(1), sessionId: sessionId(1) } as const
      const token = yield* sign({ ...claims, expiresAt: DateTime.makeUnsafe(3_600_000) })
      const [head = "", body = ""] = Redacted.value(token).split(".")
      const decoded = [head, body].map((text) => JSON.parse(new TextDecoder().decode(base64url.decode(text))))
      assert.deepStrictEqual(decoded, [header, { ...payload, kind: "cookie", iat: 0 }])
    })
  )

  it.effect.each(["none", "None", "nOnE", "HS256"])("refuses an empty signature under %s", (alg) =>
    Effect.gen(function* () {
      assert.isFalse(yield* accepts(`${part({ alg, typ: "JWT" })}.${part(payload)}.`))
      assert.isFalse(yield* accepts(`${part({ alg, typ: "JWT" })}.${part(payload)}`))
    })
  )

  it.effect.each(["HS384", "HS512"])("refuses %s under the right secret", (alg) =>
    Effect.gen(function* () {
      const long = new Uint8Array(64).fill(7)
      const layer = JoseAccessTokens.layer({ ...options, secret: Redacted.make(new TextDecoder().decode(long)) })
      const right = yield* signed(payload, header, long)
      assert.isTrue(yield* accepts(right).pipe(Effect.provide(layer, { local: true })))
      const token = yield* signed(payload, { ...header, alg }, long)
      assert.isFalse(yield* accepts(token).pipe(Effect.provide(layer, { local: true })))
    })
  )

  it.effect("refuses an asymmetric algorithm that is signed with the secret", () =>
    Effect.gen(function* () {
      const [, , signature] = (yield* signed(payload)).split(".")
      assert.isFalse(yield* accepts(`${part({ alg: "RS256", typ: "JWT" })}.${part(payload)}.${signature}`))
    })
  )

  it.effect.each([
    { kid: "../../dev/null" },
    { kid: "' or 1=1 --" },
    { jku: "http://127.0.0.1:1/keys" },
    { x5u: "http://127.0.0.1:1/cert" },
    { jwk: { kty: "oct", k: "AAAA" } },
    { typ: "at+jwt" },
    { cty: "JWT" }
  ])("refuses the header %o, even when it is signed with the secret", (extra) =>
    Effect.gen(function* () {
      assert.isFalse(yield* accepts(yield* signed(payload, { ...header, ...extra })))
    })
  )

  it.effect.each([
    ["another issuer", { ...payload, iss: "https://other.test" }],
    ["no issuer", without("iss")],
    ["another audience", { ...payload, aud: "other" }],
    ["no audience", without("aud")],
    ["no end", without("exp")],
    ["no subject", without("sub")],
    ["a subject that is no user id", { ...payload, sub: "admin" }],
    ["no session", without("sid")],
    ["no kind", without("kind")],
    ["an unknown kind", { ...payload, kind: "refresh" }],
    ["a start in the future beyond the skew", { ...payload, nbf: 61 }]
  ] as const)("refuses a token with %s", ([, claims]) =>
    Effect.gen(function* () {
      assert.isFalse(yield* accepts(yield* signed(claims)))
    })
  )

  it.effect("refuses a token under another secret", () =>
    Effect.gen(function* () {
      assert.isFalse(yield* accepts(yield* signed(payload, header, new Uint8Array(32).fill(1))))
    })
  )
})

describe("JoseAccessTokens.layer", () => {
  it.effect("refuses a secret of fewer than 32 bytes", () =>
    Effect.gen(function* () {
      const short = JoseAccessTokens.layer({ ...options, secret: Redacted.make("x".repeat(31)) })
      const refused = yield* Effect.flip(Effect.provide(AccessTokens, short))
      assert.deepInclude(refused, { _tag: "SecretTooShort", sizeBytes: 31, minimumBytes: 32 })
    })
  )
})
