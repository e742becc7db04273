/** Ends a saga from outside, for one that cannot reach its end by itself: its executor is gone, or fails each time, or nobody knows it. */
import { Context, Effect, Layer, Option, Result } from "effect"
import { EventFactory } from "../events/EventFactory.ts"
import type { SagaId } from "../ids/SagaId.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import * as SagaSession from "./internal/sagaSession.ts"
import { Journal } from "./Journal.ts"
import { Saga } from "./Saga.ts"
import type { StepOutcome } from "./SagaDefinition.ts"
import type { SagaEntry } from "./SagaEntry.ts"
import { fold, initial, type SagaProgress } from "./SagaProgress.ts"
import { SagaStore } from "./SagaStore.ts"

/** What becomes of the saga's subject; called once nobody else can write for the saga any more. */
export type Finalize = (saga: Saga) => Effect.Effect<Pick<StepOutcome, "subject" | "events">, StorageError>

export class SagaTerminator extends Context.Service<
  SagaTerminator,
  {
    /**
     * Ends the saga as `failed` under a raised fence, in one transaction with what `finalize` makes of its subject. From then on a
     * executor that held it writes nothing. What was not undone stays so, and the log does not claim otherwise. None if it is unknown
     * or has ended.
     */
    fail(id: SagaId, reason: string, finalize: Finalize): Effect.Effect<Option.Option<Saga>, StorageError>
  }
>()("@fairlead/core/sagas/SagaTerminator") {
  /** `executor` names this instance in the log and in the saga's row. */
  static readonly layer = (executor: string) =>
    Layer.effect(
      SagaTerminator,
      Effect.gen(function* () {
        const [store, journal, storage] = [yield* SagaStore, yield* Journal, yield* Storage]
        const services = { store, journal, storage, events: yield* EventFactory }

        const fail = Effect.fnUntraced(function* (id: SagaId, reason: string, finalize: Finalize) {
          const fenced = yield* store.redispatch(id, { suspended: true, fenceOff: true })
          if (Option.isNone(fenced)) return Option.none()
          const saga = new Saga({ ...fenced.value, executor })
          const folded = fold((yield* store.log(id)).map(({ entry }) => entry))
          const progress = Result.getOrElse(folded, () => unreadable(saga))
          const session = SagaSession.make(services, { saga, progress, subject: undefined })
          for (const entry of leadingTo(progress, saga, reason)) yield* session.record(entry)
          yield* session.record({ _tag: "SagaEnded", end: "failed", reason }, yield* finalize(saga))
          yield* session.flush
          return yield* store.find(id)
        })

        return SagaTerminator.of({
          fail: (id, reason, finalize) =>
            // Nobody can raise the fence between two writes of one transaction.
            Effect.catchTag(storage.transaction(fail(id, reason, finalize)), "SagaFenced", Effect.die)
        })
      })
    )
}

/** What must stand in the log before a saga may end as failed. */
const leadingTo = (
  { state }: SagaProgress,
  { definitionVersion, sagaName: name }: Saga,
  reason: string
): ReadonlyArray<SagaEntry> => {
  const turn: SagaEntry = { _tag: "CompensationStarted", cause: "failed", reason }
  if (state === "created") return [{ _tag: "SagaStarted", name, definitionVersion }, turn]
  return state === "running" ? [turn] : []
}

/** Of a log that cannot be folded only what the row says of it. */
const unreadable = ({ compensatedSteps, completedSteps, logLength }: Saga): SagaProgress => ({
  ...initial,
  state: "compensating",
  completed: completedSteps.map((step) => ({ step, output: null })),
  undone: compensatedSteps,
  length: logLength
})
