/**
 * `IntegrityReader` in SQL. A page is read in one transaction that only reads, at one moment of the database. Instances may go on meanwhile:
 * it locks nothing, and holds back no reader of the event log.
 */
import { IntegrityReader } from "@fairlead/core/verification/IntegrityReader"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as Rows from "./internal/executionRecords.ts"
import { strayQueries } from "./internal/strayRows.ts"
import { storageError } from "./PostgresError.ts"

const decodeStrays = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ key: Schema.String, detail: Schema.String }))
)
const decodeStreams = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ stream: Schema.String })))

const prefix = "execution/"

export const layer = Layer.effect(
  IntegrityReader,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const oneMoment = sql`set transaction isolation level repeatable read, read only`.unprepared

    /** Bytes that lie side by side become one extent; a row that does not begin where the one before it ended begins another. */
    const extents = (ids: ReadonlyArray<string>) => sql`
      select execution_id, attempt, stream, min(byte_offset)::float8 as starts, sum(bytes)::float8 as bytes
      from (select *, count(*) filter (where byte_offset is distinct from stood)
          over (partition by execution_id, attempt, stream order by byte_offset) as extent
        from (select execution_id, attempt, stream, byte_offset, length(bytes) as bytes, lag(byte_offset + length(bytes))
            over (partition by execution_id, attempt, stream order by byte_offset) as stood
          from execution_output where execution_id = any(${ids}::uuid[])) pieces) marked
      group by execution_id, attempt, stream, extent order by execution_id, attempt, stream, starts`

    const read = Effect.fnUntraced(function* (after: string | undefined, limit: number) {
      const behind = after === undefined ? sql`` : sql`where execution_id > ${after}`
      const executions = yield* Rows.decodeExecutions(
        yield* sql`select execution_id, execution::text as model from executions ${behind} order by execution_id limit ${limit}`
      )
      const ids = executions.map(({ execution_id }) => execution_id)
      const streams = ids.map((id) => `${prefix}${id}`)
      return {
        executions,
        sagas: yield* Rows.decodeSagas(
          yield* sql`select subject_id as execution_id, saga_id, saga::text as model from sagas
            where subject_kind = 'execution' and subject_id = any(${ids}::uuid[]) order by saga_id`
        ),
        entries: yield* Rows.decodeEntries(
          yield* sql`select s.subject_id as execution_id, l.saga_id, l.seq, l.fence, l.at, l.entry::text as model
            from sagas s join saga_log l using (saga_id)
            where s.subject_kind = 'execution' and s.subject_id = any(${ids}::uuid[]) order by l.saga_id, l.seq`
        ),
        events: yield* Rows.decodeEvents(
          yield* sql`select substring(stream from ${prefix.length + 1}::int) as execution_id, stream, stream_version, event::text as model
            from events where stream = any(${streams}::text[]) order by stream, stream_version`
        ),
        extents: yield* Rows.decodeExtents(yield* extents(ids)),
        keys: yield* Rows.decodeKeys(
          yield* sql`select execution_id, owner_id, key from idempotency_keys
            where execution_id = any(${ids}::uuid[]) order by owner_id, key`
        )
      }
    })

    return IntegrityReader.of({
      page: Effect.fnUntraced(function* (after, limit) {
        return Rows.toRecords(yield* sql.withTransaction(Effect.andThen(oneMoment, read(after, limit))))
      }, storageError("IntegrityReader.page")),

      violations: Effect.forEach(
        strayQueries(sql),
        Effect.fnUntraced(function* ({ invariant, rows, table }) {
          const strays = yield* decodeStrays(yield* rows)
          return strays.map(({ detail, key }) => ({ invariant, row: `${table} ${key}`, detail }))
        })
      ).pipe(
        Effect.map((found) => found.flat()),
        storageError("IntegrityReader.violations")
      ),

      deleted: Effect.fnUntraced(function* (executionIds) {
        const rows = yield* decodeStreams(
          yield* sql`select distinct stream from events
            where stream = any(${executionIds.map((id) => `${prefix}${id}`)}::text[]) and tag = 'ExecutionDeleted'`
        )
        return rows.map(({ stream }) => stream.slice(prefix.length))
      }, storageError("IntegrityReader.deleted"))
    })
  })
)
