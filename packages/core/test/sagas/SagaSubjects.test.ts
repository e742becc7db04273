import { assert, describe, it } from "@effect/vitest"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { EventLog } from "@fairlead/core/events/EventLog"
import { Ids } from "@fairlead/core/ids/Ids"
import * as Stores from "@fairlead/core/Stores"
import { once, type SagaDefinition, type SagaStep } from "@fairlead/core/sagas/SagaDefinition"
import { SagaDefinitions, SagaExecutor } from "@fairlead/core/sagas/SagaExecutor"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { SagaWatch } from "@fairlead/core/sagas/SagaWatch"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer } from "effect"

const services = (definition: SagaDefinition<string>) =>
  SagaExecutor.layer("host-a").pipe(
    Layer.provideMerge(SagaWatch.layer),
    Layer.provide(Layer.succeed(SagaDefinitions, [definition])),
    Layer.provideMerge(EventFactory.layer.pipe(Layer.provide(Ids.layerMemory))),
    Layer.provideMerge(Stores.layerMemory)
  )
const execute = Effect.flatMap(SagaExecutor, (executor) => executor.execute({ sagaId: sagaId(1), dispatch: 1 }))

describe("A saga about something else than an execution", () => {
  it.effect("saves its subject with the log, and names it in its events", () =>
    Effect.gen(function* () {
      const saved: Array<string> = []
      const write: SagaStep<string> = {
        name: "write",
        external: false,
        retry: once,
        run: ({ subject }) => Effect.succeed({ subject: `${subject} written` })
      }
      const definition: SagaDefinition<string> = {
        name: "scripted",
        version: 1,
        steps: [
          write,
          {
            ...write,
            name: "send",
            external: true,
            run: ({ subject }) => Effect.succeed({ subject: `${subject} sent` })
          }
        ],
        load: () => Effect.succeedSome("note"),
        save: (subject) => Effect.sync(() => void saved.push(subject)),
        deadline: () => undefined,
        cleanup: () => Effect.void,
        finalize: () => Effect.succeed({})
      }
      const work = Effect.gen(function* () {
        yield* (yield* SagaStore).insert(createdSaga(1, { sagaName: "scripted", subject: { kind: "note", id: "7" } }))
        yield* execute
        return yield* (yield* EventLog).readStream("note/7", { afterVersion: 0, limit: 100 })
      })
      const told = yield* Effect.provide(work, services(definition))
      assert.deepStrictEqual(saved, ["note written", "note written sent"])
      assert.deepStrictEqual(
        told.map(({ aggregateId, event }) => [aggregateId, event]),
        [
          [
            "7",
            {
              _tag: "SagaCompleted",
              sagaId: sagaId(1),
              sagaName: "scripted",
              subject: { kind: "note", id: "7" },
              completedSteps: ["write", "send"]
            }
          ]
        ]
      )
    })
  )
})
