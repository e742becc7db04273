/** What every encryption at rest promises: a text opens where it was sealed, unchanged, and nowhere else. */
import { assert, it } from "@effect/vitest"
import { Sealed, Secrets } from "@fairlead/core/secrets/Secrets"
import { Effect, type Layer, Redacted } from "effect"

const refuses = (place: string, sealed: string) =>
  Effect.flatMap(Secrets, ({ open }) =>
    open(place, Sealed.make(sealed)).pipe(
      Effect.as(false),
      Effect.catchTag("SecretUnreadable", (error) => Effect.succeed(error.place === place))
    )
  )

export const suite = (name: string, secrets: Layer.Layer<Secrets, unknown>): void =>
  it.layer(secrets)(`Secrets (${name})`, (it) => {
    it.effect("open gives back what was sealed", () =>
      Effect.gen(function* () {
        const { open, seal } = yield* Secrets
        for (const text of ["", "s", "\ufeffpä$$\u0000 🔑\n", "x".repeat(100_000)]) {
          const sealed = yield* seal("rows/1", Redacted.make(text))
          assert.strictEqual(Redacted.value(yield* open("rows/1", sealed)), text)
        }
      })
    )

    it.effect("seal hides the value and never writes the same text twice", () =>
      Effect.gen(function* () {
        const { seal } = yield* Secrets
        const value = Redacted.make("canary-value")
        const texts = yield* Effect.replicateEffect(seal("rows/1", value), 100)
        assert.strictEqual(new Set(texts).size, 100)
        assert.isFalse(texts.some((text) => text.includes("canary")))
        assert.isTrue(texts.every((text) => /^[!-~]+$/.test(text)))
      })
    )

    it.effect("open refuses another place", () =>
      Effect.gen(function* () {
        const sealed = yield* (yield* Secrets).seal("rows/1", Redacted.make("v"))
        for (const place of ["rows/2", "rows/1 ", "", "rows/1.x"]) assert.isTrue(yield* refuses(place, sealed), place)
      })
    )

    it.effect("open refuses a text of which any character is another or missing", () =>
      Effect.gen(function* () {
        const sealed = yield* (yield* Secrets).seal("rows/1", Redacted.make("value"))
        const other = (character: string) => (character === "A" ? "B" : "A")
        for (let i = 0; i < sealed.length; i++) {
          const [before, after] = [sealed.slice(0, i), sealed.slice(i + 1)]
          assert.isTrue(yield* refuses("rows/1", `${before}${other(sealed.charAt(i))}${after}`), `another at ${i}`)
          assert.isTrue(yield* refuses("rows/1", `${before}${after}`), `missing at ${i}`)
        }
        for (const text of ["v1", "v1.", "v1..", "v1.k", "v1.k.", "v1.k.A", "v2.k.AAAA", `${sealed}.`])
          assert.isTrue(yield* refuses("rows/1", text), text)
      })
    )
  })
