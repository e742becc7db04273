/** What a server does in the background and PGlite does not: give back the write-ahead log, and vacuum. */
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"

/** Log in bytes, and age in seconds of some log, at which it is worth a checkpoint. */
const checkpointBytes = 32 * 1024 * 1024
const checkpointSeconds = 300
const idleBytes = 64 * 1024

export const layer: Layer.Layer<never, never, SqlClient.SqlClient> = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* Effect.forkScoped(Effect.forever(Effect.delay(quietly("checkpoint", checkpoint(sql)), "15 seconds")))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(quietly("vacuum", vacuum(sql)), "1 hour")))
  })
)

/** Checkpoints when enough was written since the last one, or something a while ago. */
export const checkpoint = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [row] = yield* sql<{ readonly bytes: number; readonly seconds: number }>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 as bytes,
      extract(epoch from clock_timestamp() - checkpoint_time)::float8 as seconds
    from pg_control_checkpoint()`
  if (row === undefined) return
  const late = row.seconds >= checkpointSeconds && row.bytes >= idleBytes
  if (late || row.bytes >= checkpointBytes) yield* sql`checkpoint`.unprepared
})

export const vacuum = (sql: SqlClient.SqlClient) => sql`vacuum (analyze)`.unprepared

const quietly = <A, E>(name: string, effect: Effect.Effect<A, E>) =>
  Effect.ignore(Effect.tapError(effect, (error) => Effect.logWarning(`The ${name} failed`, error)))
