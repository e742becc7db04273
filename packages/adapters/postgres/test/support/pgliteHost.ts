/**
 * A host in a process of its own, for tests that kill it. Arguments: the data directory, and what to do in it: `write` executions
 * one after the other, or `hold` the item of saga 1. Each line on the standard output is something that is done for good.
 */
import assert from "node:assert"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import type { Stores } from "@fairlead/core/Stores"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import * as PgliteStorage from "@fairlead/postgres/pglite/PgliteStorage"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Effect } from "effect"

const [directory, task] = process.argv.slice(2)
const tell = (line: string | number) => Effect.sync(() => process.stdout.write(`${line}\n`))

const write = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const { transaction } = yield* Storage
  for (let n = 1; ; n++) {
    yield* transaction(executions.insert(queuedExecution(n)))
    yield* tell(n)
  }
})

const hold = Effect.scoped(
  Effect.gen(function* () {
    const engine = yield* SagaEngine
    yield* (yield* SagaStore).insert(createdSaga(1))
    yield* engine.dispatch({ sagaId: sagaId(1), dispatch: 1 })
    yield* engine.run(() => Effect.andThen(tell("held"), Effect.never), [{ nodeId: undefined, maxExecutors: 1 }])
    return yield* Effect.never
  })
)

assert(directory !== undefined)
// Something has to keep the process alive: the database itself holds nothing open.
const alive = setInterval(() => {}, 1_000)
const work: Effect.Effect<never, unknown, Stores> = task === "write" ? write : hold
await Effect.runPromise(Effect.provide(work, PgliteStorage.layer({ directory })))
clearInterval(alive)
