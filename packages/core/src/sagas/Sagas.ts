/** Use cases on sagas: list, look up, read their history, cancel. Driving them is `SagaExecutor`'s business. */
import { Context, DateTime, Effect, Layer, Option, Result } from "effect"
import { mayTouch, ownerFilter, type Principal } from "../auth/Principal.ts"
import type { Permission } from "../auth/roles/Permission.ts"
import type { SagaId } from "../ids/SagaId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Saga } from "./Saga.ts"
import { SagaCanceller } from "./SagaCanceller.ts"
import { definitionOf } from "./SagaDefinition.ts"
import { SagaNotCancellable, SagaNotFound, type SagaNotRestartable } from "./SagaError.ts"
import { SagaDefinitions } from "./SagaExecutor.ts"
import { historyOf, type PublicOutput, type SagaHistory } from "./SagaHistory.ts"
import { fold, initial } from "./SagaProgress.ts"
import { restart, type SagaRestart } from "./SagaRestart.ts"
import { type SagaFilter, SagaStore } from "./SagaStore.ts"

export interface SagaDetail {
  readonly saga: Saga
  readonly history: SagaHistory
}

export class Sagas extends Context.Service<
  Sagas,
  {
    get(caller: Principal, id: SagaId): Effect.Effect<Saga, SagaNotFound | StorageError>
    /** Sagas the caller may see, newest first. */
    list(
      caller: Principal,
      filter: SagaFilter
    ): Effect.Effect<{ readonly sagas: ReadonlyArray<Saga>; readonly total: number }, StorageError>
    /** What happened to it, step by step; of outputs only what the definition lets people see. */
    history(caller: Principal, id: SagaId): Effect.Effect<SagaDetail, SagaNotFound | StorageError>
    /** How a new saga would go on from this one; see `SagaRestart`. `fromStep` absent: from where it failed. */
    planRestart(
      caller: Principal,
      id: SagaId,
      fromStep: string | undefined
    ): Effect.Effect<
      { readonly saga: Saga; readonly plan: SagaRestart },
      SagaNotFound | SagaNotRestartable | StorageError
    >
    /** Asks the saga to stop and undo what it did; returns when the request is recorded. Acts within 2 s, on any instance. */
    cancel(
      caller: Principal,
      id: SagaId,
      reason: string
    ): Effect.Effect<void, SagaNotFound | SagaNotCancellable | StorageError>
  }
>()("@fairlead/core/sagas/Sagas") {
  static readonly layer = Layer.effect(
    Sagas,
    Effect.gen(function* () {
      const store = yield* SagaStore
      const canceller = yield* SagaCanceller
      const definitions = yield* SagaDefinitions

      const find = Effect.fnUntraced(function* (caller: Principal, permission: Permission, id: SagaId) {
        const found = yield* store.find(id)
        if (Option.isNone(found) || !mayTouch(caller, permission, found.value.ownerId))
          return yield* new SagaNotFound({ sagaId: id })
        return found.value
      })

      return Sagas.of({
        get: Effect.fn("Sagas.get")((caller, id) => find(caller, "sagas:read", id)),
        list: Effect.fn("Sagas.list")((caller, filter) =>
          seesNothing(caller, filter)
            ? Effect.succeed({ sagas: [], total: 0 })
            : store.list({ ...filter, ownerId: ownerFilter(caller, "sagas:read") ?? filter.ownerId })
        ),
        history: Effect.fn("Sagas.history")(function* (caller, id) {
          const saga = yield* find(caller, "sagas:read", id)
          const steps = definitionOf(definitions, saga)?.steps ?? []
          const publicOutput: PublicOutput = (name, output) =>
            steps.find((step) => step.name === name)?.publicOutput?.(output) ?? null
          return { saga, history: historyOf(yield* store.log(id), publicOutput) }
        }),
        planRestart: Effect.fn("Sagas.planRestart")(function* (caller, id, fromStep) {
          const saga = yield* find(caller, "sagas:write", id)
          // Of a log that cannot be folded nothing can be taken over.
          const progress = Result.getOrElse(fold((yield* store.log(id)).map(({ entry }) => entry)), () => initial)
          const plan = yield* Effect.fromResult(restart(saga, definitionOf(definitions, saga), progress, fromStep))
          return { saga, plan }
        }),
        cancel: Effect.fn("Sagas.cancel")(function* (caller, id, reason) {
          const { state } = yield* find(caller, "sagas:write", id)
          if (state !== "created" && state !== "running")
            return yield* new SagaNotCancellable({ sagaId: id, sagaState: state })
          const request = { at: yield* DateTime.now, by: caller.username, reason }
          const requested = yield* canceller.request(id, request)
          if (Option.isSome(requested)) return
          const ended = yield* find(caller, "sagas:write", id)
          return yield* new SagaNotCancellable({ sagaId: id, sagaState: ended.state })
        })
      })
    })
  )
}

/** Whoever may see only what is theirs finds nothing of others. */
const seesNothing = (caller: Principal, { ownerId }: SagaFilter) =>
  ownerId !== undefined && !mayTouch(caller, "sagas:read", ownerId)
