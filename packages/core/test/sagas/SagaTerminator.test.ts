/** A saga that is ended by force: from wherever it is, and whatever its driver does afterwards. */

import { assert, describe, it } from "@effect/vitest"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { EventLog } from "@fairlead/core/events/EventLog"
import { Ids } from "@fairlead/core/ids/Ids"
import { streamOf } from "@fairlead/core/ids/Subject"
import * as Stores from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { evolve, fold, initial } from "@fairlead/core/sagas/SagaProgress"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { SagaTerminator } from "@fairlead/core/sagas/SagaTerminator"
import { runningEvent } from "@fairlead/testing/fixtures/EventFixtures"
import { completedExecution, instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Equal, Layer, Option, Result, Schema } from "effect"
import { Answers, CancelAt, play } from "./support/playedSaga.ts"

const services = SagaTerminator.layer("host-b").pipe(
  Layer.provide(EventFactory.layer.pipe(Layer.provide(Ids.layerMemory))),
  Layer.provideMerge(Stores.layerMemory)
)
const At = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))

/** A saga whose executor, `instance-a`, has written these entries: as that executor holds it. */
const executed = Effect.fnUntraced(function* (entries: ReadonlyArray<SagaEntry>) {
  const store = yield* SagaStore
  yield* store.insert(createdSaga(1))
  const saga = Option.getOrThrow(yield* store.claim(sagaId(1), 1, "host-a"))
  const held = { ...saga, logLength: entries.length }
  if (entries.length > 0)
    yield* (yield* Journal).append({ saga: createdSaga(1, held), at: instant, entries, events: [] })
  return createdSaga(1, held)
})
const forced = Effect.flatMap(SagaTerminator, (terminator) =>
  terminator.fail(sagaId(1), "no way on", () => Effect.succeed({ subject: completedExecution(1), events: [] }))
)
const look = Effect.gen(function* () {
  const store = yield* SagaStore
  const events = yield* (yield* EventLog).readStream(streamOf(createdSaga(1).subject), {
    afterVersion: 0,
    limit: 100
  })
  return { saga: Option.getOrThrow(yield* store.find(sagaId(1))), log: yield* store.log(sagaId(1)), events }
})

describe("SagaTerminator", () => {
  it.effect.prop(
    "ends a saga from any point of any log, by legal entries, and its driver writes nothing afterwards",
    [Answers, CancelAt, At],
    ([answers, cancelAt, at]) =>
      Effect.gen(function* () {
        const { log } = play(answers, cancelAt)
        const written = log.slice(0, Math.min(at, log.length - 1))
        const held = yield* executed(written)
        const saga = Option.getOrThrow(yield* forced)
        assert.deepInclude(saga, { state: "failed", executor: "host-b", fence: 2 })
        const after = yield* look
        const entries = after.log.map(({ entry }) => entry)
        assert.deepStrictEqual(entries.slice(0, written.length), written)
        assert.strictEqual(Result.getOrThrow(fold(entries)).state, "failed")
        assert.deepStrictEqual(entries.at(-1), { _tag: "SagaEnded", end: "failed", reason: "no way on" })
        assert.isFalse(entries.slice(written.length).some(({ _tag }) => _tag === "StepUndone"))
        const late = {
          saga: createdSaga(1, { ...held, logLength: held.logLength + 1 }),
          at: instant,
          entries: log.slice(-1)
        }
        assert.isFalse(yield* (yield* Journal).append({ ...late, events: [runningEvent(1)] }))
        const still = yield* look
        assert.isTrue(Equal.equals(still.saga, after.saga))
        assert.deepStrictEqual([still.log, still.events], [after.log, after.events])
        assert.isTrue(Option.isNone(yield* forced))
      }).pipe(Effect.provide(Layer.fresh(services)))
  )

  it.effect("ends also a saga whose log nobody can fold", () =>
    Effect.gen(function* () {
      const broken: ReadonlyArray<SagaEntry> = [{ _tag: "StepUndone", step: "start" }]
      assert.isTrue(Result.isFailure(evolve(initial, { _tag: "StepUndone", step: "start" })))
      yield* executed(broken)
      assert.strictEqual(Option.getOrThrow(yield* forced).state, "failed")
      assert.deepStrictEqual(
        (yield* look).log.map(({ entry, seq }) => `${seq} ${entry._tag}`),
        ["1 StepUndone", "2 SagaEnded"]
      )
    }).pipe(Effect.provide(Layer.fresh(services)))
  )
})
