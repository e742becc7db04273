/** What only a server shows: several hosts on one database, lost connections, sessions that are set up otherwise. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Wakeups, type WakeupTopic } from "@fairlead/core/wakeups/Wakeups"
import * as PostgresClient from "@fairlead/postgres/PostgresClient"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { runningEvent } from "@fairlead/testing/fixtures/EventFixtures"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { executionId, sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Context, Deferred, Effect, Fiber, Layer, Option, Redacted, Schedule, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { freshDatabase, serverUrl } from "./support/freshDatabase.ts"

const unavailable = process.env["FAIRLEAD_TEST_DATABASE_URL"] === undefined

/** A host on the database, as a value, so that one test can hold several. */
const host = (url: Redacted.Redacted) => Layer.build(PostgresStorage.layer({ url, repairInterval: "200 millis" }))

const admin = (url: Redacted.Redacted) =>
  Effect.map(Layer.build(PostgresClient.layer({ url })), Context.get(PgClient.PgClient))

const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  condition.pipe(
    Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.die("not within 15 seconds") })
  )

/** What the host hears from now on. */
const hears = Effect.fnUntraced(function* (wakeups: Wakeups["Service"]) {
  const heard: Array<WakeupTopic> = []
  yield* Effect.forkScoped(Stream.runForEach(wakeups.all, (topic) => Effect.sync(() => void heard.push(topic))))
  return heard
})

describe.skipIf(unavailable)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  it.live("who appends beside a stream that a transaction holds does not wait for it", () =>
    Effect.gen(function* () {
      const services = yield* host(yield* freshDatabase)
      const [log, { transaction }] = [Context.get(services, EventLog), Context.get(services, Storage)]
      const [held, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const holder = log
        .append("held", [runningEvent(1)])
        .pipe(Effect.andThen(Deferred.succeed(held, undefined)), Effect.andThen(Deferred.await(release)), transaction)
      const holding = yield* Effect.forkChild(holder)
      yield* Deferred.await(held)
      const waiting = yield* Effect.forkChild(log.append("held", [runningEvent(2)]))
      const beside = Array.from({ length: 40 }, (_, n) =>
        log.append(n % 8 === 0 ? "held" : `free/${n}`, [runningEvent(10 + n)])
      )
      const appending = yield* Effect.forEach(beside, (append) => Effect.forkChild(append))
      for (const [n, append] of appending.entries()) if (n % 8 !== 0) assert.strictEqual(yield* Fiber.join(append), 1)
      yield* Deferred.succeed(release, undefined)
      assert.strictEqual(yield* Fiber.join(holding), undefined)
      yield* Fiber.join(waiting)
      yield* Fiber.joinAll(appending)
      assert.strictEqual(yield* log.append("held", []), 7)
    }).pipe(Effect.scoped)
  )

  it.live("a wake-up reaches the other hosts, and its own host once", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const [a, b] = [yield* host(url), yield* host(url)].map(Context.get(Wakeups))
      assert(a !== undefined && b !== undefined)
      const [heardByA, heardByB] = [yield* hears(a), yield* hears(b)]
      yield* until(
        Effect.andThen(
          a.send("probe/a"),
          Effect.sync(() => heardByB.includes("probe/a"))
        )
      )
      for (let i = 0; i < 2_000; i++) yield* a.send(`x/${i % 500}`)
      yield* a.send("x/last")
      yield* until(Effect.sync(() => heardByB.includes("x/last")))
      const missed = Array.from({ length: 500 }, (_, i): WakeupTopic => `x/${i}`).filter((x) => !heardByB.includes(x))
      assert.deepStrictEqual(missed, [])
      assert.strictEqual(heardByA.filter((topic) => topic === "x/last").length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("a listener that lost its connection listens again and says once that hints were lost", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const [a, b] = [yield* host(url), yield* host(url)].map(Context.get(Wakeups))
      assert(a !== undefined && b !== undefined)
      const heard = yield* hears(b)
      yield* until(
        Effect.andThen(
          a.send("probe/a"),
          Effect.sync(() => heard.includes("probe/a"))
        )
      )
      const sql = yield* admin(url)
      yield* sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'`
      yield* until(Effect.sync(() => heard.includes("wakeups/lost")))
      yield* until(
        Effect.andThen(
          a.send("probe/b"),
          Effect.sync(() => heard.includes("probe/b"))
        )
      )
      assert.isAtMost(heard.filter((topic) => topic === "wakeups/lost").length, 2)
    }).pipe(Effect.scoped)
  )

  it.live("a connection lost inside a transaction is a failure that can be retried, and nothing stays open", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const stores = yield* host(url)
      const { transaction } = Context.get(stores, Storage)
      const executions = Context.get(stores, ExecutionStore)
      const sql = yield* admin(url)
      const killOthers = sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'`
      const work = executions
        .insert(queuedExecution(1))
        .pipe(Effect.andThen(killOthers), Effect.andThen(executions.insert(queuedExecution(2))))
      const error = yield* Effect.flip(transaction(work))
      assert.deepInclude(error, { _tag: "StorageError", retryable: true })
      const commit = executions.insert(queuedExecution(1)).pipe(Effect.andThen(killOthers))
      assert.deepInclude(yield* Effect.flip(transaction(commit)), { _tag: "StorageError", retryable: true })
      yield* transaction(executions.insert(queuedExecution(3)))
      assert.isTrue(Option.isNone(yield* executions.find(executionId(1))))
      assert.isTrue(Option.isSome(yield* executions.find(executionId(3))))
    }).pipe(Effect.scoped)
  )

  it.live("interrupted transactions leave no session in a transaction", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const stores = yield* host(url)
      const { transaction } = Context.get(stores, Storage)
      const executions = Context.get(stores, ExecutionStore)
      const sql = yield* admin(url)
      for (let i = 0; i < 40; i++) {
        const fiber = yield* Effect.forkChild(
          transaction(
            Effect.andThen(executions.insert(queuedExecution(100 + i)), executions.list({ limit: 1, offset: 0 }))
          )
        )
        yield* Effect.timeoutOption(Fiber.await(fiber), i / 8)
        yield* Fiber.interrupt(fiber)
      }
      const open = sql<{ readonly open: number }>`select count(*)::int as open from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'`
      yield* until(Effect.map(open, ([row]) => row?.open === 0))
    }).pipe(Effect.scoped)
  )

  it.live("hosts that start at once on an empty database all come up", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const hosts = yield* Effect.all(
        Array.from({ length: 5 }, () => host(url)),
        { concurrency: 5 }
      )
      for (const stores of hosts) yield* Context.get(stores, Storage).check
      const sql = yield* admin(url)
      const rows = yield* sql`select name from fairlead_migrations`
      assert.isAtLeast(rows.length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("durability is what the server is set to", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      assert.strictEqual(Context.get(yield* host(url), Storage).durability, "disk")
      const sql = yield* admin(url)
      const [row] = yield* sql<{ readonly name: string }>`select current_database() as name`
      yield* sql.unsafe(`alter database ${row?.name} set synchronous_commit = off`)
      assert.strictEqual(Context.get(yield* host(url), Storage).durability, "process")
    }).pipe(Effect.scoped)
  )

  it.live("check refuses a session that does not speak UTC", () =>
    Effect.gen(function* () {
      const client = PgClient.layer({ url: yield* serverUrl, startupParameters: { TimeZone: "Asia/Tokyo" } })
      const storage = PostgresStorage.layerUnitOfWork(Effect.succeed("disk" as const)).pipe(Layer.provide(client))
      const { check } = Context.get(yield* Layer.build(storage), Storage)
      assert.deepInclude(yield* Effect.flip(check), { operation: "Storage.check", retryable: false })
    }).pipe(Effect.scoped)
  )

  it.live("a server that is not there is a failure that can be retried", () =>
    Effect.gen(function* () {
      const url = Redacted.make("postgres://postgres@127.0.0.1:1/postgres")
      const error = yield* Effect.flip(Layer.build(PostgresStorage.layer({ url, migrate: false })))
      assert.deepInclude(error, { _tag: "DatabaseUnsuitable", retryable: true })
    }).pipe(Effect.scoped)
  )

  it.live("the item of a dead host goes to another when its lock expires; a lost one is made anew by the sweep", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const stores = yield* host(url)
      const engine = Context.get(stores, SagaEngine)
      const sagas = Context.get(stores, SagaStore)
      const sql = yield* admin(url)
      for (const n of [1, 2, 3]) {
        yield* sagas.insert(createdSaga(n, n === 3 ? { state: "completed" } : {}))
        yield* engine.dispatch({ sagaId: sagaId(n), dispatch: 1 })
      }
      yield* sql`update effect_queue set acquired_by = gen_random_uuid(), acquired_at = now() - interval '7 seconds'
        where id = ${`${sagaId(1)}:1`}`
      yield* sql`delete from effect_queue where id <> ${`${sagaId(1)}:1`}`
      const delivered: Array<string> = []
      yield* engine.run(
        (item) =>
          Effect.suspend(() => {
            delivered.push(`${item.sagaId}:${item.dispatch}`)
            return Effect.asVoid(Effect.orDie(sql`update sagas set state = 'completed' where saga_id = ${item.sagaId}`))
          }),
        [{ nodeId: undefined, maxExecutors: 2 }]
      )
      yield* until(Effect.sync(() => delivered.length >= 2))
      assert.deepStrictEqual(delivered.toSorted(), [`${sagaId(1)}:1`, `${sagaId(2)}:2`])
      const repaired = Option.getOrThrow(yield* sagas.find(sagaId(2)))
      assert.strictEqual(repaired.dispatch, 2)
    }).pipe(Effect.scoped)
  )

  it.live("a list counts up to 10,000 matches, and still tells whether there are more behind them", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const store = Context.get(yield* host(url), ExecutionStore)
      const sql = yield* admin(url)
      yield* store.insert(queuedExecution(1))
      yield* sql`insert into executions (execution_id, owner_id, status, lang, created_at, execution)
        select gen_random_uuid(), owner_id, status, lang, created_at, execution from executions, generate_series(1, 10019)`
      const totalAt = (offset: number) => Effect.map(store.list({ limit: 10, offset }), ({ total }) => total)
      assert.deepStrictEqual(
        yield* Effect.forEach([0, 10_000, 10_010, 10_020], totalAt),
        [10_000, 10_011, 10_021, 10_020]
      )
    }).pipe(Effect.scoped)
  )

  it.live("migrations can be run by themselves", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const step = PostgresStorage.layerMigrations.pipe(Layer.provideMerge(PostgresClient.layer({ url })))
      const sql = Context.get(yield* Layer.build(step), SqlClient.SqlClient)
      const [row] = yield* sql<{ readonly tables: number }>`select count(*)::int as tables from pg_tables
        where schemaname = 'public' and tablename in ('executions', 'effect_queue')`
      assert.strictEqual(row?.tables, 2)
      yield* Context.get(yield* Layer.build(PostgresStorage.layer({ url, migrate: false })), Storage).check
    }).pipe(Effect.scoped)
  )
})
