/** Databases that are set up otherwise than a store needs: each is refused with its cause and its cure, or works all the same. */
import { execFile, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { UserStore } from "@fairlead/core/auth/users/UserStore"
import { EventLog } from "@fairlead/core/events/EventLog"
import * as PostgresClient from "@fairlead/postgres/PostgresClient"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { userRecord } from "@fairlead/testing/fixtures/AuthFixtures"
import { runningEvent } from "@fairlead/testing/fixtures/EventFixtures"
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import { databaseWith, freshDatabase, serverUrl } from "./support/freshDatabase.ts"

const unavailable = process.env["FAIRLEAD_TEST_DATABASE_URL"] === undefined
const pooler = process.env["FAIRLEAD_TEST_PGBOUNCER"]

type Url = Redacted.Redacted
const changed = (url: Url, change: Partial<Pick<URL, "username" | "pathname" | "port">>) =>
  Redacted.make(Object.assign(new URL(Redacted.value(url)), change).toString())
const nameIn = (url: Url) => new URL(Redacted.value(url)).pathname.slice(1)

const run = (url: Url, ...statements: ReadonlyArray<string>) =>
  Effect.flatMap(PgClient.PgClient, (sql) =>
    Effect.forEach(statements, (statement) => sql.unsafe(statement).unprepared, { discard: true })
  ).pipe(Effect.provide(PgClient.layer({ url, maxConnections: 1 })))

const refusal = (url: Url, options: Partial<PostgresStorage.PostgresOptions> = {}) =>
  Effect.scoped(Effect.flip(Layer.build(PostgresStorage.layer({ ...options, url }))))

/** Writes and reads something of every kind. */
const works = Effect.fnUntraced(function* (url: Url) {
  const stores = yield* Layer.build(PostgresStorage.layer({ url }))
  const [users, log] = [Context.get(stores, UserStore), Context.get(stores, EventLog)]
  assert.strictEqual(yield* users.insert(userRecord(1, { fullName: "Ünï 🚢" })), "inserted")
  assert.strictEqual(yield* log.append("execution/1", [runningEvent(1)]), 1)
  const read = yield* log.readStream("execution/1", { afterVersion: 0, limit: 10 })
  assert.deepStrictEqual(
    read.map(({ eventId }) => eventId),
    [runningEvent(1).eventId]
  )
})

/** A role of its own without any rights, for one test. */
const stranger = Effect.fnUntraced(function* (url: Url) {
  const username = `stranger_${nameIn(url).slice(-12)}`
  yield* Effect.acquireRelease(run(url, `create role ${username} login`), () =>
    Effect.orDie(run(url, `drop owned by ${username}`, `drop role ${username}`))
  )
  return { username, url: changed(url, { username }) }
})

describe.skipIf(unavailable)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  it.live("one that a newer version has upgraded is refused", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.scoped(Layer.build(PostgresStorage.layer({ url })))
      yield* run(url, "insert into fairlead_migrations (migration_id, name) values (9999, 'later')")
      const error = yield* refusal(url)
      assert.include(error.problem, "a newer version of Fairlead has upgraded it: its tables are at 9999")
    })
  )

  it.live.each(["SQL_ASCII", "LATIN1"])("an encoding of %s is refused", (encoding) =>
    Effect.gen(function* () {
      const url = yield* databaseWith(`encoding '${encoding}' template template0 locale 'C'`)
      const error = yield* refusal(url)
      assert.include(error.problem, encoding)
      assert.include(error.remedy, "ENCODING 'UTF8'")
      assert.strictEqual(error.message, `${error.problem}. ${error.remedy}`)
    }).pipe(Effect.scoped)
  )

  it.live("a database that is read-only by default is refused", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* run(url, `alter database ${nameIn(url)} set default_transaction_read_only = on`)
      assert.include((yield* refusal(url)).remedy, "RESET default_transaction_read_only")
      yield* run(url, "set default_transaction_read_only = off", `alter database ${nameIn(url)} reset all`)
      yield* works(url)
    }).pipe(Effect.scoped)
  )

  it.live("a search_path that leads nowhere, or away from the tables, is refused", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const set = (path: string) => run(url, `alter database ${nameIn(url)} set search_path = ${path}`)
      yield* set("nowhere")
      assert.include((yield* refusal(url)).problem, "nowhere")
      yield* run(url, "create schema own")
      yield* set("own")
      yield* works(url)
      yield* set("public")
      const away = yield* refusal(url)
      assert.include(away.problem, "in the schema own")
      assert.include(away.remedy, "SET search_path = own")
    }).pipe(Effect.scoped)
  )

  it.live("tables of another program are left alone, and named", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* run(url, "create table users (id int)")
      const error = yield* refusal(url)
      assert.include(error.problem, 'relation "users" already exists')
      assert.include(error.remedy, "of its own")
    }).pipe(Effect.scoped)
  )

  it.live("a role without rights is told which it lacks, before and after the tables are there", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { url: strange, username } = yield* stranger(url)
      assert.include((yield* refusal(strange)).remedy, `GRANT USAGE, CREATE ON SCHEMA public TO "${username}"`)
      yield* Effect.scoped(works(url))
      yield* run(url, `grant select on all tables in schema public to ${username}`)
      const reader = yield* refusal(strange, { migrate: false })
      assert.include(reader.problem, "may not read and write the tables")
      assert.include(reader.remedy, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES")
    }).pipe(Effect.scoped)
  )

  it.live("a database that is not there, a user that is not there", () =>
    Effect.gen(function* () {
      const url = yield* serverUrl
      assert.include((yield* refusal(changed(url, { pathname: "/not-there" }))).problem, "no database of that name")
      assert.include((yield* refusal(changed(url, { username: "not-there" }))).problem, "refuses the user")
    })
  )

  it.live("isolation, dates and texts of another custom do no harm", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const set = (setting: string) => run(url, `alter database ${nameIn(url)} set ${setting}`)
      for (const setting of [
        "default_transaction_isolation = 'serializable'",
        "datestyle = 'German'",
        "intervalstyle = 'iso_8601'",
        "bytea_output = 'escape'",
        "timezone = 'Asia/Tokyo'",
        "standard_conforming_strings = off",
        "client_encoding = 'LATIN1'"
      ])
        yield* set(setting)
      yield* works(url)
      const client = yield* Layer.build(PostgresClient.layer({ url }))
      const [session] = yield* Context.get(
        client,
        PgClient.PgClient
      )`select current_setting('transaction_isolation') as isolation`
      assert.deepStrictEqual(session, { isolation: "read committed" })
    }).pipe(Effect.scoped)
  )
})

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** A pgbouncer before the server; it does not run as root. */
const pooled = Effect.fnUntraced(function* (url: Url, mode: "session" | "transaction") {
  const [port, directory] = [yield* freePort, mkdtempSync(join(tmpdir(), "fairlead-pgbouncer-"))]
  const { hostname, password, port: serverPort, username } = new URL(Redacted.value(url))
  writeFileSync(join(directory, "users"), `"${username}" "${password}"\n`, { mode: 0o644 })
  const ignored = ["timezone", "datestyle", "intervalstyle", "bytea_output", "standard_conforming_strings"]
  writeFileSync(
    join(directory, "config"),
    `[databases]
* = host=${hostname} port=${serverPort || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(directory, "users")}
pool_mode = ${mode}
ignore_startup_parameters = ${[...ignored, "default_transaction_isolation", "idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout", "extra_float_digits"].join(",")}
`,
    { mode: 0o644 }
  )
  const chmod = Effect.callback<void>((resume) => void execFile("chmod", ["755", directory], () => resume(Effect.void)))
  yield* chmod
  const identity = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  yield* Effect.acquireRelease(
    Effect.sync(() => spawn(pooler ?? "pgbouncer", [join(directory, "config")], { stdio: "ignore", ...identity })),
    (child) => Effect.sync(() => [child.kill("SIGKILL"), rmSync(directory, { recursive: true, force: true })])
  )
  const through = changed(url, { port: `${port}` })
  yield* run(through, "select 1").pipe(Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 100 }))
  return through
})

describe.skipIf(unavailable || pooler === undefined)("needs FAIRLEAD_TEST_PGBOUNCER too", () => {
  it.live("a pooler in transaction mode is refused, one that gives sessions works", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const error = yield* refusal(yield* pooled(url, "transaction"))
      assert.include(error.problem, "a pooler in transaction mode")
      assert.include(error.remedy, "session mode")
      yield* works(yield* pooled(url, "session"))
    }).pipe(Effect.scoped)
  )
})
