/** `ExecutionStore` over `executions`. */
import { Execution } from "@fairlead/core/executions/Execution"
import { type LabelChange, relabelled } from "@fairlead/core/executions/ExecutionLabels"
import { TerminalStatus } from "@fairlead/core/executions/ExecutionStatus"
import { type ExecutionFilter, ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { ResourceUsage } from "@fairlead/core/runtime/ResourceUsage"
import { maxCounted, totalOf } from "@fairlead/core/storage/CountedTotal"
import { DateTime, Effect, Layer, Option, Result, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { jsonText } from "./internal/jsonText.ts"
import { reviver } from "./internal/reviver.ts"
import { storageError } from "./PostgresError.ts"

const stored = jsonText(Execution)
const revive = reviver(Execution, [ResourceUsage])
/** The whole model as the text of a `jsonb` value. */
export const encodeExecution = Schema.encodeEffect(stored)

/** Without what is to be done when it exists. */
export const insertExecution = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, execution: Execution) {
  return sql`insert into executions (execution_id, owner_id, status, lang, created_at, execution)
    values (${execution.executionId}, ${execution.ownerId}, ${execution.status}, ${execution.lang},
      ${DateTime.formatIso(execution.createdAt)}, ${yield* encodeExecution(execution)}::text::jsonb)`
})

export const layer = Layer.effect(
  ExecutionStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const terminal = sql.in("status", TerminalStatus.literals)

    /** The migration `0009_labels` has an index for each. */
    const called = ({ labels = [], name }: ExecutionFilter) => [
      ...(name === undefined
        ? []
        : [sql`execution ? 'name' and position(lower(${name}) in lower(execution ->> 'name')) > 0`]),
      ...labels.map(({ key, value }) =>
        value === undefined
          ? sql`execution ? 'labels' and execution -> 'labels' ? ${key}`
          : sql`execution ? 'labels' and execution -> 'labels' @> ${JSON.stringify({ [key]: value })}::text::jsonb`
      )
    ]

    const matching = ({ from, lang, ownerId, statuses = [], to, ...wanted }: ExecutionFilter) =>
      sql.and([
        sql`true`,
        ...(ownerId === undefined ? [] : [sql`owner_id = ${ownerId}`]),
        ...(statuses.length === 0 ? [] : [sql.in("status", statuses)]),
        ...(lang === undefined ? [] : [sql`lang = ${lang}`]),
        ...(from === undefined ? [] : [sql`created_at >= ${DateTime.formatIso(from)}`]),
        ...(to === undefined ? [] : [sql`created_at < ${DateTime.formatIso(to)}`]),
        ...called(wanted)
      ])

    /** The row is locked, so that the saga's move and the change come one after the other. */
    const relabelledRow = Effect.fnUntraced(function* (id: ExecutionId, change: LabelChange) {
      const [row] =
        yield* sql`select execution::text as execution from executions where execution_id = ${id} for update`
      if (row === undefined) return Option.none()
      const changed = relabelled(yield* revive(row["execution"]), change)
      if (Result.isSuccess(changed))
        yield* sql`update executions set execution = ${yield* encodeExecution(changed.success)}::text::jsonb
          where execution_id = ${id}`
      return Option.some(changed)
    })

    /** What belongs to the executions in the CTE `gone` goes with them; their events stay. */
    const belongings = sql`
      output as (delete from execution_output o using gone where o.execution_id = gone.execution_id),
      keys as (delete from idempotency_keys k using gone where k.execution_id = gone.execution_id),
      saga as (delete from sagas s using gone where s.subject_kind = 'execution' and s.subject_id = gone.execution_id returning s.saga_id),
      entries as (delete from saga_log l using saga where l.saga_id = saga.saga_id)`

    return ExecutionStore.of({
      insert: Effect.fnUntraced(function* (execution) {
        const added =
          yield* sql`${yield* insertExecution(sql, execution)} on conflict do nothing returning execution_id`
        if (added.length === 0) return yield* Effect.die(`execution ${execution.executionId} exists`)
      }, storageError("ExecutionStore.insert")),

      find: Effect.fnUntraced(function* (id) {
        const [row] = yield* sql`select execution::text as execution from executions where execution_id = ${id}`
        return row === undefined ? Option.none() : Option.some(yield* revive(row["execution"]))
      }, storageError("ExecutionStore.find")),

      list: Effect.fnUntraced(function* (filter) {
        const matches = matching(filter)
        // One statement; a page without rows has the count alone.
        const rows = yield* sql`select counted.total, page.execution::text as execution
          from (select count(*)::int as total from (select 1 from executions where ${matches} limit ${maxCounted}) found) counted
          left join (select execution_id, execution from executions where ${matches}
            order by execution_id desc limit ${filter.limit} offset ${filter.offset}) page on true
          order by page.execution_id desc`
        const texts = rows.flatMap(({ execution }) => execution ?? [])
        const executions = yield* Effect.forEach(texts, revive)
        return { executions, total: totalOf(filter, Number(rows[0]?.["total"]), executions.length) }
      }, storageError("ExecutionStore.list")),

      relabel: Effect.fnUntraced(function* (id, change) {
        const changed = yield* sql
          .withTransaction(relabelledRow(id, change))
          .pipe(storageError("ExecutionStore.relabel"))
        return yield* Option.match(changed, {
          onNone: () => Effect.succeedNone,
          onSome: (execution) => Effect.asSome(Effect.fromResult(execution))
        })
      }),

      storedOutputBytes: Effect.fnUntraced(function* (ownerId) {
        // The migration `0010_stored_output` has an index that answers it.
        const [sum] = yield* sql<{ readonly bytes: number }>`
          select coalesce(sum(stored_output_bytes), 0)::float8 as bytes from executions
          where owner_id = ${ownerId} and stored_output_bytes > 0`
        return sum?.bytes ?? 0
      }, storageError("ExecutionStore.storedOutputBytes")),

      remove: Effect.fnUntraced(function* (id) {
        const removed = yield* sql`with
          gone as (delete from executions where execution_id = ${id} and ${terminal} returning execution_id),
          ${belongings} select execution_id from gone`
        return removed.length > 0
      }, storageError("ExecutionStore.remove")),

      removeEndedBefore: Effect.fnUntraced(function* (time, limit) {
        // Leans on executions_finished; stored times all have one form.
        const removed = yield* sql`with
          old as (select execution_id from executions where finished_at < ${DateTime.formatIso(time)}
            order by finished_at limit ${limit} for update skip locked),
          gone as (delete from executions e using old where e.execution_id = old.execution_id and ${terminal}
            returning e.execution_id),
          ${belongings} select execution_id from gone`
        return removed.length
      }, storageError("ExecutionStore.removeEndedBefore"))
    })
  })
)
