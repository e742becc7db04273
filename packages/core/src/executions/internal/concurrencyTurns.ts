/** Executions of one concurrency key take turns: those that come at the same time are decided upon one after the other. */
import { Effect } from "effect"
import { executionSubject } from "../../ids/Subject.ts"
import { Enqueuer } from "../../queue/Enqueuer.ts"
import type { QueueEntry } from "../../queue/QueueEntry.ts"
import { SagaCanceller } from "../../sagas/SagaCanceller.ts"
import { replacedBy, turnOf } from "../ConcurrencyPolicy.ts"
import type { Execution } from "../Execution.ts"
import type { NewExecution } from "./executionMaking.ts"

export const makeConcurrencyTurns = Effect.gen(function* () {
  const [enqueuer, canceller] = [yield* Enqueuer, yield* SagaCanceller]
  return {
    /** What the policy of the request makes of the others with its key. Until the caller's transaction ends nobody else is answered for the key. */
    claim: Effect.fnUntraced(function* ({ execution: { concurrencyKey, ownerId }, request }: NewExecution) {
      const others = concurrencyKey === undefined ? [] : yield* enqueuer.claimKey(ownerId, concurrencyKey)
      return turnOf(request.concurrencyPolicy ?? "queue", others)
    }),
    /** Asks the others to end, as part of the caller's transaction. */
    replace: (execution: Execution, others: ReadonlyArray<QueueEntry>) => {
      const request = { at: execution.createdAt, by: "system", reason: replacedBy(execution) }
      return Effect.forEach(others, ({ executionId }) => canceller.record(executionSubject(executionId), request), {
        discard: true
      })
    }
  }
})
