/**
 * Items of the engine that this instance wrote as its own with `AdmissionStore.createStarted`, and executes without taking them from the queue first. Each is
 * locked in `effect_queue` like one that was taken, with the id of its saga as the lock's name; others get it when the lock expires.
 */
import type { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { type ClaimedSaga, itemOf, type SagaDispatch, type SagaNode } from "@fairlead/core/sagas/SagaItem"
import { Cause, Effect, Exit, Predicate, Schedule } from "effect"
import type { SqlClient } from "effect/sql"

/** Between two renewals of the locks that an instance holds. */
export const refreshInterval = "3 seconds"

/** Pause before an item whose executor failed is delivered again. */
const retrySeconds = 1

type Execute = Parameters<SagaEngine["Service"]["run"]>[0]

/** A failed execute is the queue's to repeat; there is nobody else to tell. A saga that another executor took is no failure of this instance. */
export const attended = <A, E, R>(executing: Effect.Effect<A, E, R>) =>
  executing.pipe(
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause) || isFenced(cause)
        ? Effect.void
        : Effect.logWarning("A saga's executor failed", cause)
    ),
    Effect.ignoreCause
  )

const isFenced = (cause: Cause.Cause<unknown>) =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && Predicate.isTagged(reason.error, "SagaFenced"))

const nameOf = ({ dispatch, sagaId }: SagaDispatch) => `${sagaId}:${dispatch}`

export const makeHeld = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  /** Items in hand; as many as the instance has slots. */
  const held = new Set<SagaDispatch>()
  const executors = new Map<SagaNode, (item: SagaDispatch) => Effect.Effect<void>>()

  /** Of those that nobody has taken over; locked in one order, as ends of sagas do it. */
  const mine = (items: ReadonlyArray<SagaDispatch>) => sql`sequence in (select sequence from effect_queue
    where id = any(${items.map(nameOf)}::text[]) and acquired_by = any(${items.map(({ sagaId }) => sagaId)}::uuid[])
    order by sequence for update)`

  const refresh = Effect.suspend(() =>
    held.size === 0
      ? Effect.void
      : Effect.asVoid(sql`update effect_queue set acquired_at = now() where ${mine([...held])}`)
  )
  yield* refresh.pipe(
    Effect.tapError((error) => Effect.logWarning("Could not renew saga locks; retrying.", error)),
    Effect.retry(Schedule.spaced("500 millis")),
    Effect.schedule(Schedule.fixed(refreshInterval)),
    Effect.forkScoped
  )

  /** Hands it back: at once when the executor was interrupted, after a pause when it failed, because it may fail again. */
  const release = (item: SagaDispatch, cause: Cause.Cause<unknown>) => {
    const seconds = Cause.hasInterruptsOnly(cause) ? 0 : retrySeconds
    return Effect.ignore(
      sql`update effect_queue set acquired_at = null, acquired_by = null,
        visible_at = now() + make_interval(secs => ${seconds}::int) where ${mine([item])}`
    )
  }

  /** The item of a saga that has ended is gone by then, and one that was taken over is another's. */
  const executed = (execute: Execute, item: SagaDispatch) =>
    Effect.onExit(execute(item), (exit) =>
      Effect.andThen(
        Effect.sync(() => held.delete(item)),
        Exit.isSuccess(exit) ? Effect.void : release(item, exit.cause)
      )
    )

  return {
    /** Until the scope closes, what is handed over for the node is executed so. */
    serve: Effect.fnUntraced(function* (nodeId: SagaNode, execute: Execute) {
      const scope = yield* Effect.scope
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          executors.set(nodeId, (item) => Effect.asVoid(Effect.forkIn(attended(executed(execute, item)), scope)))
        ),
        () => Effect.sync(() => executors.delete(nodeId))
      )
    }),
    deliverLocal: (begun: ClaimedSaga) =>
      Effect.suspend(() => {
        const [executor, item] = [executors.get(begun.saga.nodeId), itemOf(begun)]
        if (executor === undefined) return Effect.void
        held.add(item)
        return executor(item)
      })
  }
})
