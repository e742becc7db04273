/** Report of the sagas that make no progress, with why. */
import { Context, DateTime, Effect, Layer, Result } from "effect"
import { ownerFilter, type Principal } from "../auth/Principal.ts"
import type { SagaId } from "../ids/SagaId.ts"
import { InstanceRegistry } from "../instances/InstanceRegistry.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Saga } from "./Saga.ts"
import { definitionOf } from "./SagaDefinition.ts"
import { SagaDefinitions } from "./SagaExecutor.ts"
import { fold, initial } from "./SagaProgress.ts"
import { SagaStore } from "./SagaStore.ts"
import { claimsWithoutProgress, type Stuckness, whyStuck } from "./StuckSaga.ts"

export interface StuckQuery {
  /** 0 or more. */
  readonly olderThanSeconds: number
  /** Sagas looked at, most of which may be fine: 1 to 1,000. */
  readonly limit: number
  /** Where the report before ended. */
  readonly after?: SagaId | undefined
}

export interface StuckSaga extends Stuckness {
  readonly saga: Saga
  /** How often instances took it since it last made progress. */
  readonly claims: number
}

export class StuckSagas extends Context.Service<
  StuckSagas,
  {
    /**
     * Sagas the caller may see that made no progress for `olderThanSeconds`, oldest first, without those whose subject waits for
     * its turn and those on which a living instance works. `next` is where to go on; absent when all were looked at.
     */
    report(
      caller: Principal,
      query: StuckQuery
    ): Effect.Effect<{ readonly stuck: ReadonlyArray<StuckSaga>; readonly next: SagaId | undefined }, StorageError>
  }
>()("@fairlead/core/sagas/StuckSagas") {
  static readonly layer = Layer.effect(
    StuckSagas,
    Effect.gen(function* () {
      const [store, registry, definitions] = [yield* SagaStore, yield* InstanceRegistry, yield* SagaDefinitions]

      /** The log is read only where something failed. */
      const progressOf = Effect.fnUntraced(function* ({ retryCount, sagaId }: Saga) {
        if (retryCount === 0) return initial
        return Result.getOrElse(fold((yield* store.log(sagaId)).map(({ entry }) => entry)), () => initial)
      })

      return StuckSagas.of({
        report: Effect.fn("StuckSagas.report")(function* (caller, { after, limit, olderThanSeconds }) {
          const now = yield* DateTime.now
          const since = DateTime.subtract(now, { seconds: olderThanSeconds })
          const found = yield* store.stalled(since, { ownerId: ownerFilter(caller, "sagas:read"), after, limit })
          const instances = yield* registry.seen
          const judged = yield* Effect.forEach(
            found,
            Effect.fnUntraced(function* (saga) {
              const known = definitionOf(definitions, saga) !== undefined
              const why = whyStuck(saga, yield* progressOf(saga), instances, known, now)
              return why === undefined ? [] : [{ ...why, saga, claims: claimsWithoutProgress(saga) }]
            }),
            { concurrency: 4 }
          )
          return { stuck: judged.flat(), next: found.length < limit ? undefined : found.at(-1)?.sagaId }
        })
      })
    })
  )
}
