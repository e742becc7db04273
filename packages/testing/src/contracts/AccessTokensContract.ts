/** What every signer of access tokens promises: it reads back its own unchanged tokens of the right kind in time, and no other. */
import { assert, it } from "@effect/vitest"
import { type AccessClaims, AccessTokens, clockSkewSeconds } from "@fairlead/core/auth/sessions/AccessTokens"
import { DateTime, Effect, type Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { sessionId } from "../fixtures/AuthFixtures.ts"
import { userId } from "../fixtures/Uuid.ts"

/** For user 1 and session `n`; ends after `seconds`. */
const claims = Effect.fnUntraced(function* (n: number, seconds: number, kind: AccessClaims["kind"] = "bearer") {
  const expiresAt = DateTime.add(yield* DateTime.now, { seconds })
  const made: AccessClaims = { kind, userId: userId(1), sessionId: sessionId(n), expiresAt }
  return made
})
const accepts = (kind: AccessClaims["kind"], token: Redacted.Redacted) =>
  Effect.flatMap(AccessTokens, ({ verify }) =>
    verify(kind, token).pipe(
      Effect.as(true),
      Effect.catchTag("TokenRejected", () => Effect.succeed(false))
    )
  )

export const suite = (name: string, tokens: Layer.Layer<AccessTokens, unknown>): void =>
  it.layer(tokens)(`AccessTokens (${name})`, (it) => {
    it.effect("verify reads back what was signed, to the second", () =>
      Effect.gen(function* () {
        const { sign, verify } = yield* AccessTokens
        yield* TestClock.adjust("1234 millis")
        for (const kind of ["cookie", "bearer"] as const) {
          const signed = yield* claims(1, 3_600, kind)
          const read = yield* verify(kind, yield* sign(signed))
          const seconds = Math.floor(signed.expiresAt.epochMilliseconds / 1000)
          assert.deepStrictEqual(
            { ...read, expiresAt: read.expiresAt.epochMilliseconds },
            {
              ...signed,
              expiresAt: seconds * 1000
            }
          )
        }
      })
    )

    it.effect("verify refuses one kind in the place of the other", () =>
      Effect.gen(function* () {
        const { sign } = yield* AccessTokens
        const [cookie, bearer] = [
          yield* sign(yield* claims(2, 60, "cookie")),
          yield* sign(yield* claims(2, 60, "bearer"))
        ]
        assert.isFalse(yield* accepts("bearer", cookie))
        assert.isFalse(yield* accepts("cookie", bearer))
      })
    )

    it.effect("verify accepts a token up to the skew after its end, and not a second longer", () =>
      Effect.gen(function* () {
        const token = yield* (yield* AccessTokens).sign(yield* claims(3, 100))
        yield* TestClock.adjust(`${100 + clockSkewSeconds - 1} seconds`)
        assert.isTrue(yield* accepts("bearer", token))
        yield* TestClock.adjust("1 second")
        assert.isFalse(yield* accepts("bearer", token))
      })
    )

    it.effect("verify refuses a token of which any character is another, is missing or is added", () =>
      Effect.gen(function* () {
        const text = Redacted.value(yield* (yield* AccessTokens).sign(yield* claims(4, 3_600)))
        const other = (character: string) => (character === "A" ? "Q" : "A")
        const forged = Array.from({ length: text.length }, (_, i) => [
          `${text.slice(0, i)}${other(text.charAt(i))}${text.slice(i + 1)}`,
          `${text.slice(0, i)}${text.slice(i + 1)}`
        ]).flat()
        for (const token of [...forged, `${text}A`, `${text}.`, ` ${text}`, "", "."])
          assert.isFalse(yield* accepts("bearer", Redacted.make(token)), token)
        assert.isTrue(yield* accepts("bearer", Redacted.make(text)))
      })
    )
  })
