/** Ends an execution whose saga cannot end by itself. For administrators: what runs there is not waited for, only stopped later. */
import { Context, DateTime, Effect, Layer, Option, Result } from "effect"
import { mayTouch, type Principal } from "../auth/Principal.ts"
import type { DomainEvent } from "../events/DomainEvent.ts"
import { aboutSaga } from "../events/SagaEvents.ts"
import type { SagaId } from "../ids/SagaId.ts"
import { executionIdOf } from "../ids/Subject.ts"
import { NodeSlots } from "../instances/NodeSlots.ts"
import type { Saga } from "../sagas/Saga.ts"
import { SagaAlreadyEnded, SagaNotFound } from "../sagas/SagaError.ts"
import { Sagas } from "../sagas/Sagas.ts"
import { SagaTerminator } from "../sagas/SagaTerminator.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { type Execution, finish, noOutput } from "./Execution.ts"
import { ExecutionOutputStore } from "./ExecutionOutputStore.ts"
import { isTerminal } from "./ExecutionStatus.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import * as Events from "./executionEvents.ts"
import { OutputCollector } from "./OutputCollector.ts"

export class ForceFail extends Context.Service<
  ForceFail,
  {
    /**
     * Takes the saga from its executor and ends it as `failed`, its execution as `error` with the cause `force_failed` and with the
     * output stored so far; one transaction. A script that still runs is stopped within about a minute by the instance that can reach
     * it. Not followed by another attempt, whatever the retry policy says. Leaves an audit event.
     */
    forceFail(
      caller: Principal,
      id: SagaId,
      reason: string
    ): Effect.Effect<Saga, SagaNotFound | SagaAlreadyEnded | StorageError>
  }
>()("@fairlead/core/executions/ForceFail") {
  static readonly layer = Layer.effect(
    ForceFail,
    Effect.gen(function* () {
      const [sagas, terminator, slots] = [yield* Sagas, yield* SagaTerminator, yield* NodeSlots]
      const [executions, outputs, collector] = [
        yield* ExecutionStore,
        yield* ExecutionOutputStore,
        yield* OutputCollector
      ]

      const ended = Effect.fnUntraced(function* (execution: Execution, reason: string) {
        const sizes = yield* outputs.sizes(execution)
        const outcome = {
          ...noOutput,
          stdoutBytes: sizes.stdout,
          stderrBytes: sizes.stderr,
          errorType: "system_error" as const,
          errorCause: "force_failed",
          errorMessage: reason
        }
        const failed = Result.getOrThrow(finish(execution, yield* DateTime.now, "error", outcome))
        const previews = yield* collector.previews(execution, outcome)
        return { subject: failed, events: Events.ended(failed, previews, undefined) }
      })

      const finalize = (by: string, reason: string) =>
        Effect.fnUntraced(function* (saga: Saga) {
          const forced: DomainEvent = { _tag: "SagaForceFailed", ...aboutSaga(saga), by, reason }
          const executionId = executionIdOf(saga.subject)
          const found = executionId === undefined ? Option.none() : yield* executions.find(executionId)
          if (Option.isNone(found) || isTerminal(found.value.status)) return { events: [forced] }
          const { events, subject } = yield* ended(found.value, reason)
          return { subject, events: [forced, ...events] }
        })

      return ForceFail.of({
        forceFail: Effect.fn("ForceFail.forceFail")(function* (caller, id, reason) {
          const before = yield* sagas.get(caller, id)
          if (!mayTouch(caller, "sagas:admin", before.ownerId)) return yield* new SagaNotFound({ sagaId: id })
          const failed = yield* terminator.fail(id, reason, finalize(caller.username, reason))
          if (Option.isNone(failed)) {
            const { state } = yield* sagas.get(caller, id)
            return yield* new SagaAlreadyEnded({ sagaId: id, sagaState: state })
          }
          const executionId = executionIdOf(before.subject)
          if (executionId !== undefined) yield* slots.release(executionId)
          return failed.value
        })
      })
    })
  )
}
