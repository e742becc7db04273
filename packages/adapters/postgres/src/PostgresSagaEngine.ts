/**
 * `SagaEngine` on the persisted queue of effect: a leased queue in `effect_queue`, one live item a saga, offered in the caller's
 * transaction and held while an executor executes. A crashed holder's items are taken over when their lock expires; lock times are
 * compared with the database clock and without a zone, which is why every connection must speak UTC.
 */

import { SagaId } from "@fairlead/core/ids/SagaId"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import type { SagaDispatch, SagaNode } from "@fairlead/core/sagas/SagaItem"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Cause, Duration, Effect, Layer, Result, Schedule, Schema } from "effect"
import { PersistedQueue } from "effect/persistence"
import { SqlClient } from "effect/sql"
import { canary } from "./internal/canary.ts"
import { attended, makeHeld, refreshInterval } from "./internal/heldItems.ts"
import { checkSession } from "./internal/session.ts"
import { sqlErrorIn, storageError, toStorageError } from "./PostgresError.ts"

/** The queue of a node. Every node has one of its own, so that an instance takes only what it can execute. */
const queueNameOf = (nodeId: SagaNode) => (nodeId === undefined ? "sagas" : `sagas/${nodeId}`)

/** Takeover after a crash takes at most the expiration plus one poll. */
const storeOptions = {
  pollInterval: "200 millis",
  lockRefreshInterval: refreshInterval,
  lockExpiration: "9 seconds"
} as const

/** Sagas that one sweep puts back. */
const repairLimit = 500

const Item = Schema.Struct({ sagaId: SagaId, dispatch: Schema.Int })
const decodeItems = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ ...Item.fields, nodeId: Schema.NullOr(Schema.String) }))
)

export interface SagaEngineOptions {
  /** Time between sweeps that put sagas without a live item back into the queue; 30 s by default. */
  readonly repairInterval?: Duration.Input | undefined
}

/** The store creates its table, and dies when it cannot; with us that is a failure like any other. */
const makeStore = PersistedQueue.makeStoreSql(storeOptions).pipe(
  Effect.catchCauseFilter(
    (cause) => Result.fromNullishOr(sqlErrorIn(cause), () => cause),
    (error) => Effect.fail(error)
  )
)

/** Creates the queue's table. Each start does so as well, and then finds nothing to do. */
export const migrate = Effect.scoped(makeStore)

/** Forgets who holds items. Only for a process that is alone with its database and executes nothing yet. */
export const releaseAll = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql`update effect_queue set acquired_at = null, acquired_by = null where state = 'pending' and acquired_at is not null`
).pipe(storageError("SagaEngine.releaseAll"))

export const layer = (options: SagaEngineOptions = {}): Layer.Layer<SagaEngine, StorageError, SqlClient.SqlClient> =>
  Layer.effect(SagaEngine, make(options)).pipe(
    Layer.provide(PersistedQueue.layer),
    // The row of the saga is our memory of what was dispatched, so tombstones are short-lived.
    Layer.provideMerge(
      PersistedQueue.layerCleanup({ interval: "10 minutes", timeToLive: "1 hour", failedTimeToLive: "30 days" })
    ),
    Layer.provide(Layer.effect(PersistedQueue.PersistedQueueStore, storageError("SagaEngine.layer")(makeStore)))
  )

/** Gives sagas that have not ended and have no live item a new number and an item for it, in one transaction. */
const repair = (sql: SqlClient.SqlClient, dispatch: SagaEngine["Service"]["dispatch"]) =>
  sql
    .withTransaction(
      Effect.gen(function* () {
        const lost = yield* decodeItems(
          yield* sql`update sagas set dispatch = dispatch + 1, saga = saga || jsonb_build_object('dispatch', dispatch + 1)
          where saga_id in (
            select saga_id from sagas s where state in ('created', 'running', 'compensating') and not suspended and not exists (
              select 1 from effect_queue q where q.queue_name = 'sagas' || coalesce('/' || s.node_id, '')
                and q.id = s.saga_id || ':' || s.dispatch and q.state = 'pending')
            limit ${repairLimit} for update skip locked)
          returning saga_id as "sagaId", dispatch, node_id as "nodeId"`
        )
        for (const { nodeId, ...item } of lost) yield* dispatch(item, nodeId ?? undefined)
        if (lost.length > 0) yield* Effect.logWarning(`${lost.length} sagas had no queue item and were queued again`)
      })
    )
    .pipe(
      Effect.catchTags({
        SchemaError: Effect.die,
        SqlError: (error) => Effect.fail(toStorageError("SagaEngine.repair", error))
      })
    )

const make = Effect.fnUntraced(function* ({ repairInterval = "30 seconds" }: SagaEngineOptions) {
  const sql = yield* SqlClient.SqlClient
  const queues = yield* PersistedQueue.PersistedQueueFactory
  const queueOf = (nodeId: SagaNode) =>
    queues.make({
      name: queueNameOf(nodeId),
      schema: Item,
      // Each takeover counts as an attempt; a saga is never given up for having been taken over often.
      maxAttempts: 2_000_000_000,
      retrySchedule: Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")])
    })

  const dispatch = (item: SagaDispatch, nodeId?: SagaNode, delayMillis = 0) =>
    Effect.flatMap(queueOf(nodeId), (queue) =>
      queue.offer(item, { id: `${item.sagaId}:${item.dispatch}`, delay: Duration.millis(delayMillis) })
    ).pipe(
      Effect.catchTag("SchemaError", Effect.die),
      Effect.mapError((error) => queueError("SagaEngine.dispatch", error)),
      Effect.asVoid
    )

  yield* repair(sql, dispatch).pipe(
    Effect.tapError((error) => Effect.logWarning("Sagas without a queue item were not looked for", error)),
    Effect.ignore,
    Effect.delay(repairInterval),
    Effect.forever,
    Effect.forkScoped
  )

  const held = yield* makeHeld(sql)

  return SagaEngine.of({
    dispatch,
    deliverLocal: held.deliverLocal,
    run: Effect.fnUntraced(function* (execute, nodes) {
      for (const { nodeId, maxExecutors } of nodes) {
        const executor = Effect.forever(attended((yield* queueOf(nodeId)).take(execute)))
        for (let i = 0; i < maxExecutors; i++) yield* Effect.forkScoped(executor)
        yield* held.serve(nodeId, execute)
      }
    }),
    check: Effect.andThen(
      checkSession(sql, "SagaEngine.check", sql`select 1 from effect_queue limit 1`),
      yield* canary(queues)
    )
  })
})

/** The queue wraps the executor's failure once more. */
const queueError = (operation: string, error: PersistedQueue.PersistedQueueError): StorageError => {
  const sqlError = Cause.isCause(error.cause) ? sqlErrorIn(error.cause) : undefined
  return sqlError === undefined
    ? new StorageError({ operation, retryable: false, cause: error })
    : toStorageError(operation, sqlError)
}
