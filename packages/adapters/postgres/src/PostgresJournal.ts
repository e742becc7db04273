/** `Journal` in one statement a write: the saga's row is updated under its fence, and everything else is written from that row or not at all. */
import { Wakeups } from "@fairlead/core/bus/Wakeups"
import { isTerminal } from "@fairlead/core/executions/ExecutionStatus"
import { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { Journal, type JournalWrite, streamOf } from "@fairlead/core/storage/Journal"
import { DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { encodeEvents, insertEvents } from "./internal/eventRows.ts"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"
import { encodeExecution, insertExecution } from "./PostgresExecutionStore.ts"
import { encodeSaga, insertSaga } from "./PostgresSagaStore.ts"

const encodeEntries = Schema.encodeEffect(jsonText(Schema.Array(SagaEntry)))

export const layer = Layer.effect(
  Journal,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const wakeups = yield* Wakeups

    /** `dispatch`, `lane`, `parked` and the cancel request stay what they are in the row: others write them. */
    const moved = Effect.fnUntraced(function* ({ execution, saga }: JournalWrite) {
      // Admission locks entries and then their sagas, so an end does the same: the other way round each could wait for the other.
      const lineFirst =
        execution !== undefined && isTerminal(execution.status)
          ? sql`and (select count(*) from (
              select 1 from queue_entries where execution_id = ${execution.executionId} for update) entry) >= 0`
          : sql``
      return sql`moved as (
        update sagas set state = ${saga.state},
          saga = (${yield* encodeSaga(saga)}::text::jsonb - '{cancelRequest,lane,parked}'::text[]) || jsonb_strip_nulls(
            jsonb_build_object('dispatch', sagas.dispatch, 'cancelRequest', sagas.saga -> 'cancelRequest',
              'lane', sagas.lane, 'parked', nullif(sagas.parked, false)))
        where saga_id = ${saga.sagaId} and fence = ${saga.fence} ${lineFirst} returning saga_id)`
    })

    const logged = Effect.fnUntraced(function* ({ at, entries, saga }: JournalWrite) {
      return sql`logged as (
        insert into saga_log (saga_id, seq, fence, at, entry, driver)
        select moved.saga_id, ${saga.logLength - entries.length}::int + e.n::int, ${saga.fence}::int,
          ${DateTime.formatIso(at)}::timestamptz, e.entry, ${saga.driver ?? null}::text
        from moved, jsonb_array_elements(${yield* encodeEntries(entries)}::text::jsonb) with ordinality as e (entry, n))`
    })

    const changed = Effect.fnUntraced(function* ({ execution }: JournalWrite) {
      if (execution === undefined) return []
      const update = sql`changed as (
        update executions set status = ${execution.status}, execution = ${yield* encodeExecution(execution)}::text::jsonb
        from moved where executions.execution_id = ${execution.executionId})`
      if (!isTerminal(execution.status)) return [update]
      return [
        update,
        sql`left_line as (
          delete from queue_entries using moved where queue_entries.execution_id = ${execution.executionId})`
      ]
    })

    const published = Effect.fnUntraced(function* ({ events, saga }: JournalWrite) {
      if (events.length === 0) return []
      return [
        insertEvents(sql, {
          stream: streamOf(saga),
          count: events.length,
          json: yield* encodeEvents(events),
          source: sql`from moved`,
          expected: sql`true`
        })
      ]
    })

    return Journal.of({
      open: Effect.fnUntraced(function* ({ events, execution, saga }) {
        const published = insertEvents(sql, {
          stream: streamOf(saga),
          count: events.length,
          json: yield* encodeEvents(events),
          source: sql``,
          expected: sql`true`
        })
        yield* sql`with accepted as (${yield* insertExecution(sql, execution)}),
          begun as (${yield* insertSaga(sql, saga)}), ${published} select version from heads`
        yield* wakeups.send(`stream/${streamOf(saga)}`)
      }, storageError("Journal.open")),

      append: Effect.fnUntraced(function* (write) {
        const parts = [
          yield* moved(write),
          yield* logged(write),
          ...(yield* changed(write)),
          ...(yield* published(write))
        ]
        const rows = yield* sql`with ${sql.csv(parts)} select saga_id from moved`
        if (rows.length === 0) return false
        if (write.events.length > 0) yield* wakeups.send(`stream/${streamOf(write.saga)}`)
        return true
      }, storageError("Journal.append"))
    })
  })
)
