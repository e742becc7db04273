/** Accepts executions: checks what is asked for, and stores execution, saga, events and queue entry, or nothing. */
import { Context, Effect, Layer } from "effect"
import type { Principal } from "../auth/Principal.ts"
import type { RequestSource } from "../auth/RequestSource.ts"
import type { LanguageUnsupported } from "../runtime/RuntimeError.ts"
import { SagaEngine } from "../sagas/SagaEngine.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Execution } from "./Execution.ts"
import type {
  IdempotencyKeyReused,
  LimitTooHigh,
  QueueFull,
  RunAtTooFar,
  StoredOutputExhausted
} from "./ExecutionError.ts"
import type { ExecutionRequest } from "./ExecutionRequest.ts"
import { makeAdmissionRoom } from "./internal/admissionRoom.ts"
import { makeEnqueue, makeSkip, makeStartHere } from "./internal/admissionWrites.ts"
import { makeConcurrencyTurns } from "./internal/concurrencyTurns.ts"
import { makeExecutionMaking, type NewExecution, type Repetition } from "./internal/executionMaking.ts"
import { makeIdempotentRequests } from "./internal/idempotentRequests.ts"
import { StoredOutput } from "./StoredOutput.ts"

export type AdmissionError =
  | LanguageUnsupported
  | LimitTooHigh
  | RunAtTooFar
  | QueueFull
  | StoredOutputExhausted
  | IdempotencyKeyReused
  | StorageError

export class ExecutionAdmission extends Context.Service<
  ExecutionAdmission,
  {
    /** See `Executions.submit`. */
    accept(
      caller: Principal,
      request: ExecutionRequest & Repetition,
      source: RequestSource
    ): Effect.Effect<Execution, AdmissionError>
  }
>()("@fairlead/core/executions/ExecutionAdmission") {
  static readonly layer = Layer.effect(
    ExecutionAdmission,
    Effect.gen(function* () {
      const [storage, engine, stored] = [yield* Storage, yield* SagaEngine, yield* StoredOutput]
      const [make, room, turns] = [yield* makeExecutionMaking, yield* makeAdmissionRoom, yield* makeConcurrencyTurns]
      const [earlier, here] = [yield* makeIdempotentRequests, yield* makeStartHere]
      const [enqueue, skip] = [yield* makeEnqueue, yield* makeSkip]

      /** The execution and, if it starts here and now, its saga. A repeated request is answered also when there is no room for a new one. */
      const admit = Effect.fnUntraced(function* (caller: Principal, accepted: NewExecution, storedBytes: number) {
        const { execution, request } = accepted
        const key = request.idempotencyKey
        const known = key === undefined ? undefined : yield* earlier(accepted, key)
        if (known !== undefined) return { execution: known }
        const turn = yield* turns.claim(accepted)
        if (turn._tag === "Skip") return { execution: yield* skip(accepted, turn.holder) }
        const isPlanned = execution.runAt !== undefined
        yield* room.check(caller, isPlanned, storedBytes)
        yield* turns.replace(execution, turn.replaced)
        const claimed = yield* here.start(accepted)
        if (claimed === undefined) yield* storage.transaction(enqueue(accepted))
        yield* room.taken(caller, isPlanned)
        return { execution, claimed }
      })

      return ExecutionAdmission.of({
        accept: Effect.fnUntraced(function* (caller, request, source) {
          const accepted = yield* make(caller, request, source)
          const admitted = admit(caller, accepted, yield* stored.bytesOf(caller.userId))
          const isOneWrite = request.idempotencyKey === undefined && request.concurrencyKey === undefined
          const whole = isOneWrite ? admitted : storage.transaction(admitted)
          const { claimed, execution } = yield* Effect.onError(whole, () => here.abandon(accepted.execution))
          if (claimed !== undefined) yield* engine.deliverLocal(claimed)
          return execution
        })
      })
    })
  )
}
