/** What the contract of the journal writes, and what it then looks at. */
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { streamOf } from "@fairlead/core/ids/Subject"
import type { JournalWrite } from "@fairlead/core/sagas/Journal"
import { Saga } from "@fairlead/core/sagas/Saga"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { DateTime, Effect, Option } from "effect"
import { instant, queuedExecution } from "../../fixtures/ExecutionFixtures.ts"
import { createdSaga } from "../../fixtures/SagaFixtures.ts"
import { executionId, sagaId } from "../../fixtures/Uuid.ts"

export const at = DateTime.add(instant, { seconds: 1 })
export const started: SagaEntry = { _tag: "SagaStarted", name: "run", definitionVersion: 1 }
export const intent = (step: string): SagaEntry => ({ _tag: "StepStarted", step, attempt: 1 })

/** Execution `n` and its saga, claimed once: the saga as its executor holds it. */
export const executed = Effect.fnUntraced(function* (n: number) {
  yield* (yield* ExecutionStore).insert(queuedExecution(n))
  const sagas = yield* SagaStore
  yield* sagas.insert(createdSaga(n))
  return Option.getOrThrow(yield* sagas.claim(sagaId(n), 1, "a"))
})

export const write = (
  saga: Saga,
  entries: ReadonlyArray<SagaEntry>,
  more: Partial<JournalWrite> = {}
): JournalWrite => ({
  saga: new Saga({ ...saga, logLength: saga.logLength + entries.length, updatedAt: at }),
  at,
  entries,
  events: [],
  ...more
})

/** Everything that a write of number `n` may touch. */
export const look = Effect.fnUntraced(function* (n: number) {
  const saga = Option.getOrThrow(yield* (yield* SagaStore).find(sagaId(n)))
  const log = yield* (yield* SagaStore).log(sagaId(n))
  const execution = Option.getOrThrow(yield* (yield* ExecutionStore).find(executionId(n)))
  const events = yield* (yield* EventLog).readStream(streamOf(saga.subject), { afterVersion: 0, limit: 100 })
  return { saga, log, execution, events }
})
