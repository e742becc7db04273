import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Places from "../../src/server/internal/Places.ts"

const make = () => Places.make("long answers", { perKey: 1, total: 2 })

describe("places for what takes memory", () => {
  it.effect("hold a refusal back, so that who asks again at once does not keep the host busy", () =>
    Effect.gen(function* () {
      const places = make()
      yield* places.take("anna")
      const refused = yield* Effect.forkChild(Effect.flip(places.take("anna")), { startImmediately: true })
      assert.isUndefined(refused.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(refused))._tag, "TooMuchAtOnce")
    }).pipe(Effect.scoped)
  )

  it.effect("say at once that all have too many: that is nobody's fault", () =>
    Effect.gen(function* () {
      const places = make()
      yield* places.take("anna")
      yield* places.take("ben")
      assert.strictEqual((yield* Effect.flip(places.take("cleo")))._tag, "Overloaded")
    }).pipe(Effect.scoped)
  )

  it.effect("are free again when the scope closes", () =>
    Effect.gen(function* () {
      const places = make()
      yield* Effect.scoped(places.take("anna"))
      yield* places.take("anna")
    }).pipe(Effect.scoped)
  )
})
