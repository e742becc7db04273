/** A simulation that finds nothing proves nothing: bugs that are put around the ports must be found, each within a few seeds. */

import { assert, describe, it } from "@effect/vitest"
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { IdempotencyStore } from "@fairlead/core/executions/IdempotencyStore"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { QueueEntry } from "@fairlead/core/queue/QueueEntry"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { JobId } from "@fairlead/core/runtime/JobId"
import type { Stores } from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import { Saga } from "@fairlead/core/sagas/Saga"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { type Context, Effect, Layer, Option } from "effect"
import { simulate } from "./Simulation.ts"
import type { Sabotage } from "./World.ts"

/** The stores with one of them changed. */
const spoilt =
  <I extends Stores, S>(
    port: Context.Service<I, S>,
    spoil: (service: S) => Partial<S>
  ): NonNullable<Sabotage["stores"]> =>
  (stores) =>
    Layer.effect(
      port,
      Effect.map(port, (service) => ({ ...service, ...spoil(service) }))
    ).pipe(Layer.provideMerge(stores)) as Layer.Layer<Stores>

/** Two hosts on one machine that are often silent for a while: what one had in hand goes to the other. */
const restless = { nodes: ["a", "a"], chaos: { freeze: 0.006, repeat: 0.4, delay: 0.05, failure: 0.01 } }
/** The same, but what is lost are the hints by which one learns what the other took, and calls come late. */
const deaf = { nodes: ["a", "a"], chaos: { freeze: 0.002, repeat: 0.8, delay: 0.3, loss: 0.9, failure: 0, crash: 0 } }

const bugs: Readonly<Record<string, Sabotage>> = {
  "claiming a saga does not raise its fence": {
    stores: spoilt(SagaStore, ({ claim }) => {
      // Every driver is told the fence of the first one, as if the column was never written.
      const first = new Map<string, number>()
      return {
        claim: (id, dispatch, executor) =>
          Effect.map(
            claim(id, dispatch, executor),
            Option.map((saga) => {
              first.set(id, first.get(id) ?? saga.fence)
              return new Saga({ ...saga, fence: first.get(id) ?? saga.fence })
            })
          )
      }
    })
  },
  "the journal ignores the fence": {
    ...deaf,
    stores: (stores) =>
      Layer.effect(
        Journal,
        Effect.gen(function* () {
          const [{ append }, sagas] = [yield* Journal, yield* SagaStore]
          return Journal.of({
            append: (write) =>
              Effect.flatMap(sagas.pulse([write.saga.sagaId]), ([pulse]) =>
                append({ ...write, saga: new Saga({ ...write.saga, fence: pulse?.fence ?? write.saga.fence }) })
              )
          })
        })
      ).pipe(Layer.provideMerge(stores))
  },
  "a runtime starts a job that is there already": {
    runtime: (runtime) => {
      const starts = new Map<JobId, number>()
      return {
        ...runtime,
        start: (spec) => {
          const before = starts.get(spec.jobId) ?? 0
          starts.set(spec.jobId, before + 1)
          return runtime.start(before === 0 ? spec : { ...spec, jobId: JobId.make(`${spec.jobId}-again-${before}`) })
        }
      }
    }
  },
  "the line forgets its limits": {
    stores: spoilt(QueueStore, ({ assign }) => ({
      assign: (offer, _, now) => assign({ ...offer, capacity: offer.capacity + 5 }, {}, now)
    }))
  },
  "the line forgets keys": {
    stores: spoilt(QueueStore, ({ enqueue }) => ({
      enqueue: (entry) => {
        const { concurrencyKey: _, state, ...rest } = entry
        return enqueue(new QueueEntry({ ...rest, state: state === "blocked" ? "waiting" : state }))
      }
    }))
  },
  "the end of an execution does not free its slot": {
    stores: (stores) =>
      Layer.effect(
        Journal,
        Effect.gen(function* () {
          const [{ append }, queue] = [yield* Journal, yield* QueueStore]
          return Journal.of({
            append: Effect.fnUntraced(function* (write) {
              const executionId = ExecutionId.make(write.saga.subject.id)
              const entry = yield* queue.find(executionId)
              const held = yield* append(write)
              if (Option.isSome(entry) && Option.isNone(yield* queue.find(executionId)))
                yield* queue.enqueue(entry.value)
              return held
            })
          })
        })
      ).pipe(Layer.provideMerge(stores))
  },
  "a key of a request is forgotten": {
    stores: spoilt(IdempotencyStore, () => ({ claim: () => Effect.succeed({ _tag: "New" as const }) }))
  },
  "a transaction does not roll back": {
    stores: spoilt(Storage, () => ({ transaction: (work) => work }))
  },
  "an item whose driver fails is not delivered again": {
    stores: spoilt(SagaEngine, ({ run }) => ({
      run: (execute, nodes) => run((item) => Effect.ignore(execute(item)), nodes)
    }))
  },
  "output is stored under an old fence": {
    ...restless,
    stores: (stores) =>
      Layer.effect(
        ExecutionOutputStore,
        Effect.gen(function* () {
          const [store, sagas] = [yield* ExecutionOutputStore, yield* SagaStore]
          return ExecutionOutputStore.of({
            ...store,
            append: Effect.fnUntraced(function* (key, { sagaId, fence }, chunks) {
              const [pulse] = yield* sagas.pulse([sagaId])
              const sizes = yield* store.sizes(key)
              const moved = chunks.map((chunk) => ({ ...chunk, offset: sizes[chunk.output] ?? 0 }))
              return yield* store.append(key, { sagaId, fence: pulse?.fence ?? fence }, moved.slice(0, 1))
            })
          })
        })
      ).pipe(Layer.provideMerge(stores))
  },
  "some events are not appended": {
    stores: spoilt(Journal, ({ append }) => {
      let appends = 0
      return { append: (write) => append(++appends % 5 === 0 ? { ...write, events: write.events.slice(1) } : write) }
    })
  },
  "a request to cancel is answered and not stored": {
    stores: spoilt(SagaStore, ({ find }) => ({ requestCancel: find }))
  },
  "what is cancelled while it waits in the line goes on waiting": {
    stores: spoilt(SagaStore, ({ requestCancel }) => ({
      requestCancel: (id, request) =>
        Effect.map(
          requestCancel(id, request),
          Option.map(({ suspended: _, ...saga }) => new Saga({ ...saga, state: "running" }))
        )
    }))
  }
}

/** The first seed that finds the bug. */
const finds = Effect.fnUntraced(function* (sabotage: Sabotage) {
  for (let seed = 1; seed <= mostSeeds; seed++) {
    const { violations } = yield* simulate(seed, sabotage)
    if (violations.length > 0) return { seed, violation: violations[0] }
  }
  return undefined
})

const mostSeeds = 100

describe("A planted bug is found by the simulation", () => {
  for (const [name, sabotage] of Object.entries(bugs))
    it.effect(
      name,
      () =>
        Effect.gen(function* () {
          const found = yield* finds(sabotage)
          assert.isDefined(found, `not found within ${mostSeeds} seeds`)
        }),
      120_000
    )
})
