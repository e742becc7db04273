/** A database that the real core wrote, damaged by SQL in one way after the other: each time the rows must be named, and nothing may crash. */
import { assert, it } from "@effect/vitest"
import { grantsOf } from "@fairlead/core/auth/roles/Role"
import type { Execution } from "@fairlead/core/executions/Execution"
import type { ExecutionRequest } from "@fairlead/core/executions/ExecutionRequest"
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import { SessionId } from "@fairlead/core/ids/SessionId"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { verifyAll } from "@fairlead/core/verification/Verification"
import type { Invariant, Violation } from "@fairlead/core/verification/Violation"
import * as Migrated from "@fairlead/postgres/migrations/Migrated"
import * as PostgresIntegrityReader from "@fairlead/postgres/PostgresIntegrityReader"
import { layerMigrations, layerStores, layerUnitOfWork } from "@fairlead/postgres/PostgresStorage"
import * as PostgresWakeups from "@fairlead/postgres/PostgresWakeups"
import { userId, uuid } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"

const alice = {
  userId: userId(1),
  username: "alice",
  role: "user",
  grants: grantsOf("user"),
  credential: { _tag: "Bearer", sessionId: SessionId.make(uuid(1)) }
} as const
const source = { correlationId: "c" }

/** A host that runs scripts in memory, on the database of the client. */
const host = layerExecutions({ instanceName: "a", maxRunning: 4 }).pipe(
  Layer.provideMerge(MemoryScriptRuntime.layer()),
  Layer.provideMerge(Layer.mergeAll(Secrets.layerMemory, ScriptRuntimes.layer)),
  Layer.provideMerge(Layer.mergeAll(layerStores(), layerUnitOfWork(Effect.succeed("none" as const)))),
  Layer.provideMerge(PostgresWakeups.layerLocal)
)

/** One execution of each status that matters: two that ended by themselves, one cancelled, one whose host has left. */
const history = Effect.gen(function* () {
  const executions = yield* Executions
  const submit = (script: string, more: Partial<ExecutionRequest> = {}) =>
    executions.submit(alice, { script, lang: "lines", langVersion: "1", ...more }, source)
  const ended = ({ executionId }: Execution) => executions.result(alice, executionId, 20_000)
  yield* Effect.flatMap(submit("out hello\nfill 600000\nerr oops\nexit 0", { idempotencyKey: "k" }), ended)
  yield* Effect.flatMap(submit("exit 3"), ended)
  const cancelled = yield* submit("out up\nhang")
  const active = yield* submit("out up\nhang")
  for (const { executionId } of [cancelled, active])
    yield* executions
      .get(alice, executionId)
      .pipe(Effect.delay("5 millis"), Effect.repeat({ until: ({ status }) => status === "running", times: 2_000 }))
  yield* executions.cancel(alice, cancelled.executionId, "enough", source)
  yield* ended(cancelled)
}).pipe(Effect.provide(host), Effect.scoped)

const tables = [
  "executions",
  "execution_output",
  "idempotency_keys",
  "sagas",
  "saga_log",
  "stream_heads",
  "events",
  "effect_queue",
  "queue_entries"
]

/** All but those that the database computes. */
const writableColumns = Effect.fnUntraced(function* (table: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ readonly name: string }>`select quote_ident(column_name) as name
    from information_schema.columns where table_name = ${table} and is_generated = 'NEVER'`
  return rows.map(({ name }) => name).join(", ")
})

/** Violations found after the damage; then everything is as it was. */
const damaged = Effect.fnUntraced(function* (statements: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
  const found: Array<Violation> = []
  yield* verifyAll({ report: (violation) => Effect.sync(() => void found.push(violation)) })
  for (const table of tables) {
    yield* sql.unsafe(`truncate ${table}`)
    const columns = yield* writableColumns(table)
    yield* sql.unsafe(`insert into ${table} (${columns}) overriding system value select ${columns} from saved_${table}`)
  }
  return found
})

const prepare = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* Migrated.check
  yield* history
  for (const table of tables) yield* sql.unsafe(`create table saved_${table} as table ${table}`)
})

const id = "(select execution_id from executions where status = 'completed')"
const stream = "(select 'execution/' || execution_id from executions where status = 'completed')"
const saga = "(select saga_id from sagas where state = 'completed' order by saga_id limit 1)"
const nobody = `'${uuid(99)}'`

interface Damage {
  readonly name: string
  readonly statements: ReadonlyArray<string>
  readonly caught: ReadonlyArray<Invariant>
  /** Each is part of the name of some row. */
  readonly rows: ReadonlyArray<string>
}

const damages: ReadonlyArray<Damage> = [
  { name: "nothing at all", statements: [], caught: [], rows: [] },
  {
    name: "a fence that was lowered",
    statements: [`update sagas set fence = 0, saga = jsonb_set(saga, '{fence}', '0') where saga_id = ${saga}`],
    caught: ["log_fence"],
    rows: ["saga_log "]
  },
  {
    name: "columns that differ from their models",
    statements: [
      `update sagas set fence = fence + 1 where saga_id = ${saga}`,
      `update executions set created_at = created_at + interval '1 millisecond' where execution_id = ${id}`,
      `update events set tag = 'ExecutionFailed' where stream = ${stream} and stream_version = 1`
    ],
    caught: ["row_columns"],
    rows: ["sagas ", "executions ", "events "]
  },
  {
    name: "a log without an entry",
    statements: [`delete from saga_log where saga_id = ${saga} and seq = 4`],
    caught: ["log_sequence", "log_moves"],
    rows: ["/5"]
  },
  {
    name: "a log without an entry, renumbered",
    statements: [
      `delete from saga_log where saga_id = ${saga} and seq = 4`,
      `update saga_log set seq = 1 - seq where saga_id = ${saga} and seq > 4`,
      `update saga_log set seq = -seq where saga_id = ${saga} and seq < 0`
    ],
    caught: ["log_moves"],
    rows: ["/4"]
  },
  {
    name: "a status that was changed",
    statements: [
      `update executions set status = 'failed', execution = jsonb_set(execution, '{status}', '"failed"') where execution_id = ${id}`
    ],
    caught: ["execution_state", "event_story"],
    rows: ["executions ", "events "]
  },
  {
    name: "no event of the end",
    statements: [`delete from events where stream = ${stream} and tag = 'ExecutionCompleted'`],
    caught: ["event_order", "event_story"],
    rows: ["execution/"]
  },
  {
    name: "a second event of the end",
    statements: [
      `insert into events (txid, stream, stream_version, event_id, tag, event)
        select h.txid, stream, h.version + 1, ${nobody}, tag, jsonb_set(event, '{eventId}', to_jsonb(${nobody}::text))
        from events e join stream_heads h using (stream) where stream = ${stream} and tag = 'ExecutionCompleted'`,
      `update stream_heads set version = version + 1 where stream = ${stream}`
    ],
    caught: ["event_story"],
    rows: ["/10"]
  },
  {
    name: "events whose order in the log is not that of their versions",
    statements: [`update events set txid = '3' where stream = ${stream} and stream_version = 5`],
    caught: ["event_order"],
    rows: ["/5"]
  },
  {
    name: "a gap in the output",
    statements: [
      `delete from execution_output where execution_id = ${id} and stream = 'stdout' and byte_offset between 1 and 500000`
    ],
    caught: ["output_contiguous", "output_size"],
    rows: ["/1/stdout/"]
  },
  {
    name: "more output than the outcome says, and a stream that does not exist",
    statements: [
      `update execution_output set bytes = bytes || 'x' where execution_id = ${id} and stream = 'stderr'`,
      `insert into execution_output values (${id}, 1, 'stdlog', 0, 'x')`
    ],
    caught: ["output_contiguous", "output_size"],
    rows: ["/1/stderr", "/1/stdlog"]
  },
  {
    name: "an event that does not decode",
    statements: [
      `update events set event = jsonb_set(event, '{event,exitCode}', '"none"') where stream = ${stream} and tag = 'ExecutionCompleted'`
    ],
    caught: ["row_readable"],
    rows: ["events execution/"]
  },
  {
    name: "rows of all kinds that do not decode",
    statements: [
      `update executions set execution = '{}' where execution_id = ${id}`,
      `update saga_log set entry = '[1]' where saga_id = ${saga} and seq = 2`,
      `update sagas set saga = '"saga"' where state = 'cancelled'`,
      "update events set event = 'null' where tag = 'ExecutionCancelled'"
    ],
    caught: ["row_readable", "row_columns"],
    rows: ["executions ", "saga_log ", "sagas ", "events "]
  },
  {
    name: "a saga row that differs from its log",
    statements: [`update sagas set saga = saga || '{"completedSteps": [], "logLength": 8}' where saga_id = ${saga}`],
    caught: ["saga_projection"],
    rows: ["sagas "]
  },
  {
    name: "an active execution that is not in the line, and an ended one that is",
    statements: [`update queue_entries set execution_id = ${id} where state = 'assigned'`],
    caught: ["queue_consistent"],
    rows: ["executions ", "queue_entries ", "sagas "]
  },
  {
    name: "an execution that is assigned to another node than its saga's",
    statements: ["update queue_entries set node_id = 'process/elsewhere' where state = 'assigned'"],
    caught: ["queue_consistent"],
    rows: ["sagas "]
  },
  {
    name: "a live saga without a queue item",
    statements: ["delete from effect_queue where state = 'pending'"],
    caught: ["saga_queued"],
    rows: ["sagas "]
  },
  {
    name: "an execution that is gone, with all that it left",
    statements: [`delete from executions where execution_id = ${id}`],
    caught: ["row_owned"],
    rows: ["sagas ", "execution_output ", "idempotency_keys ", "events execution/"]
  },
  {
    name: "a saga that is gone, with the log that it left",
    statements: [`delete from sagas where saga_id = ${saga}`],
    caught: ["saga_end", "row_owned"],
    rows: ["executions ", "saga_log "]
  },
  {
    name: "an idempotency key to nowhere",
    statements: [`update idempotency_keys set execution_id = ${nobody}`],
    caught: ["row_owned"],
    rows: ["/k"]
  }
]

export const suite = (name: string, client: Layer.Layer<SqlClient.SqlClient, unknown>): void => {
  const database = Layer.effectDiscard(prepare).pipe(
    Layer.provideMerge(PostgresIntegrityReader.layer),
    Layer.provide(layerMigrations),
    Layer.provideMerge(client)
  )
  it.layer(database, { timeout: "60 seconds", excludeTestServices: true })(`a damaged database (${name})`, (it) => {
    for (const { caught, name, rows, statements } of damages)
      it.effect(name, () =>
        Effect.gen(function* () {
          const found = yield* damaged(statements)
          assert.sameMembers([...new Set(found.map(({ invariant }) => invariant))], [...caught], JSON.stringify(found))
          for (const row of rows)
            assert.isTrue(
              found.some((violation) => violation.row.includes(row)),
              row
            )
        })
      )
  })
}
