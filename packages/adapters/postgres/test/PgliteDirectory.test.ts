/** A data directory over time: its first start, its one owner, and what a killed owner leaves. */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { PGlite } from "@electric-sql/pglite"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { Storage } from "@fairlead/core/storage/Storage"
import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import * as PgliteMaintenance from "@fairlead/postgres/pglite/PgliteMaintenance"
import * as PgliteStorage from "@fairlead/postgres/pglite/PgliteStorage"
import { pgliteVersion, templateUrl } from "@fairlead/postgres/pglite/PgliteTemplate"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { executionId } from "@fairlead/testing/fixtures/Uuid"
import { Context, Deferred, Duration, Effect, Layer, Option, Queue } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { PgliteDuplex } from "../src/pglite/internal/pgliteDuplex.ts"

/** A place for a data directory that does not exist yet; removed afterwards. */
const newDirectory = Effect.acquireRelease(
  Effect.sync(() => join(mkdtempSync(join(tmpdir(), "fairlead-")), "data")),
  (directory) => Effect.sync(() => rmSync(join(directory, ".."), { recursive: true, force: true }))
)

const open = (directory: string) => Layer.build(PgliteStorage.layer({ directory }))

/** A host in another process; each of its lines is something done for good. */
const otherHost = (directory: string, task: "write" | "hold") =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const lines = yield* Queue.unbounded<string>()
      const gone = yield* Deferred.make<void>()
      const script = fileURLToPath(new URL("support/pgliteHost.ts", import.meta.url))
      const child: ChildProcess = spawn(process.execPath, [script, directory, task], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      assert(child.stdout !== null && child.pid !== undefined)
      createInterface({ input: child.stdout }).on("line", (line) => Queue.offerUnsafe(lines, line))
      child.once("close", () => Deferred.doneUnsafe(gone, Effect.void))
      const kill = Effect.andThen(
        Effect.sync(() => child.kill("SIGKILL")),
        Deferred.await(gone)
      )
      return { pid: child.pid, lines, kill }
    }),
    ({ kill }) => kill
  )

const options = { timeout: 60_000 }

describe("PgliteStorage in a directory", () => {
  it.live(
    "keeps what was written, from one start to the next",
    () =>
      Effect.gen(function* () {
        const directory = yield* newDirectory
        yield* Effect.scoped(
          Effect.flatMap(open(directory), (stores) => {
            assert.strictEqual(Context.get(stores, Storage).durability, "process")
            return Context.get(stores, ExecutionStore).insert(queuedExecution(1))
          })
        )
        const executions = Context.get(yield* open(directory), ExecutionStore)
        assert.isTrue(Option.isSome(yield* executions.find(executionId(1))))
        assert.isFalse(existsSync(`${directory}.unfinished`))
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "is refused when a newer version has upgraded it, and left as it is",
    () =>
      Effect.gen(function* () {
        const directory = yield* newDirectory
        yield* Effect.scoped(open(directory))
        const upgraded = Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`insert into fairlead_migrations (migration_id, name) values (9999, 'later')`
        )
        yield* Effect.scoped(Effect.provide(upgraded, PgliteClient.layer({ directory })))
        const error = yield* Effect.flip(Effect.scoped(open(directory)))
        assert.strictEqual(error._tag, "DatabaseUnsuitable")
        assert.match(String(error), /a newer version of Fairlead has upgraded it: its tables are at 9999/)
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "opens for one part of a process at a time",
    () =>
      Effect.gen(function* () {
        const directory = yield* newDirectory
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* open(directory)
            const error = yield* Effect.flip(Effect.scoped(open(`${directory}/../data/`)))
            assert.deepInclude(error, { _tag: "DataDirectoryLocked", holderPid: process.pid })
            // The refused one has not loosened the lock.
            assert.deepInclude(yield* Effect.flip(Effect.scoped(open(directory))), { _tag: "DataDirectoryLocked" })
          })
        )
        yield* open(directory)
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "is refused within 2 s while another process has it, by the name of that process; a kill sets it free",
    () =>
      Effect.gen(function* () {
        const directory = yield* newDirectory
        const other = yield* otherHost(directory, "write")
        yield* Queue.take(other.lines)
        const [waited, error] = yield* Effect.timed(Effect.flip(Effect.scoped(open(directory))))
        assert.deepInclude(error, { _tag: "DataDirectoryLocked", holderPid: other.pid })
        assert.isBelow(Duration.toMillis(waited), 2_000)
        yield* other.kill
        yield* open(directory)
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "has every acknowledged write after its owner was killed",
    () =>
      Effect.gen(function* () {
        const directory = yield* newDirectory
        const other = yield* otherHost(directory, "write")
        const acknowledged: Array<string> = []
        while (acknowledged.length < 200) acknowledged.push(yield* Queue.take(other.lines))
        yield* other.kill
        acknowledged.push(...(yield* Queue.clear(other.lines)))
        const executions = Context.get(yield* open(directory), ExecutionStore)
        for (const n of acknowledged)
          assert.isTrue(Option.isSome(yield* executions.find(executionId(Number(n)))), `execution ${n}`)
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "delivers at once what a killed owner held",
    () =>
      Effect.gen(function* () {
        const directory = yield* newDirectory
        const other = yield* otherHost(directory, "hold")
        assert.strictEqual(yield* Queue.take(other.lines), "held")
        yield* other.kill
        const engine = Context.get(yield* open(directory), SagaEngine)
        const delivered = yield* Deferred.make<number>()
        yield* engine.run(
          ({ dispatch }) => Effect.asVoid(Deferred.succeed(delivered, dispatch)),
          [{ nodeId: undefined, maxExecutors: 1 }]
        )
        // Well below the nine seconds after which a lock expires.
        assert.deepStrictEqual(yield* Effect.timeoutOption(Deferred.await(delivered), "4 seconds"), Option.some(1))
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "starts over when its first start was cut short, and leaves a foreign directory alone",
    () =>
      Effect.gen(function* () {
        const directory = yield* newDirectory
        mkdirSync(directory, { recursive: true })
        writeFileSync(join(directory, "PG_VERSION"), "18\n")
        writeFileSync(`${directory}.unfinished`, "")
        yield* Effect.scoped(open(directory))

        const foreign = yield* newDirectory
        mkdirSync(foreign, { recursive: true })
        writeFileSync(join(foreign, "letter.txt"), "dear")
        assert.deepInclude(yield* Effect.flip(Effect.scoped(open(foreign))), { _tag: "StorageError", retryable: false })
        assert.strictEqual(readFileSync(join(foreign, "letter.txt"), "utf8"), "dear")
      }).pipe(Effect.scoped),
    options
  )
})

describe("PgliteStorage", () => {
  it.effect("ships a template for the PGlite that is installed", () =>
    Effect.gen(function* () {
      const version = yield* pgliteVersion
      assert.isTrue(Option.isSome(templateUrl(version)), `run tools/template.js for ${version}`)
      assert.isTrue(Option.isNone(templateUrl("0.0.0")))
    })
  )

  it.live(
    "gives the next connection a session in which nothing is left open",
    () =>
      Effect.gen(function* () {
        const database = yield* Effect.acquireRelease(
          Effect.promise(() => PGlite.create()),
          (opened) => Effect.promise(() => opened.close())
        )
        const connect = PgClient.makeClient({
          username: "postgres",
          database: "postgres",
          ssl: false,
          stream: () => new PgliteDuplex(database)
        })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const sql = yield* connect
            yield* sql`begin`
            yield* sql`create table half (i int)`
          })
        )
        const sql = yield* connect
        const [row] = yield* sql`select to_regclass('half') as half, pg_current_xact_id_if_assigned()::text as open`
        assert.deepInclude(row, { half: null, open: null })
      }).pipe(Effect.scoped, Effect.provide(Reactivity.layer)),
    options
  )

  it.live(
    "checkpoints and vacuums",
    () =>
      Effect.gen(function* () {
        const directory = yield* newDirectory
        const sql = Context.get(yield* Layer.build(PgliteClient.layer({ directory })), SqlClient.SqlClient)
        const behind = Effect.map(
          sql<{ readonly bytes: number }>`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 as bytes
          from pg_control_checkpoint()`,
          ([row]) => row?.bytes ?? 0
        )
        yield* sql`create table filler as select i, repeat(md5(i::text), 30) as text from generate_series(1, 40000) i`
        assert.isAbove(yield* behind, 32 * 1024 * 1024)
        yield* PgliteMaintenance.checkpoint(sql)
        assert.isBelow(yield* behind, 1024 * 1024)
        yield* PgliteMaintenance.vacuum(sql)
      }).pipe(Effect.scoped),
    options
  )
})
