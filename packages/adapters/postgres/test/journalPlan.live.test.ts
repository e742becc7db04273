/** The statement that moves sagas must not compare each write with each other one, whatever the planner believes of their number. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import * as PostgresClient from "@fairlead/postgres/PostgresClient"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { completedExecution, instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { Context, Effect, Layer, Predicate } from "effect"
import { encodeWrite, writeAll } from "../src/internal/journalRows.ts"
import { freshDatabase } from "./support/freshDatabase.ts"

const count = 100
const started: SagaEntry = { _tag: "SagaStarted", name: "run", definitionVersion: 1 }
const numbers = Array.from({ length: count }, (_, i) => i + 1)

const ending = (n: number) =>
  encodeWrite({
    saga: createdSaga(n, { state: "completed", fence: 0, logLength: 1 }),
    at: instant,
    entries: [started],
    subject: completedExecution(n),
    events: []
  })

const literal = (value: unknown): string => {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
  if (Array.isArray(value)) return quoted(`{${value.map((each) => JSON.stringify(`${each}`)).join(",")}}`)
  return typeof value === "number" ? `${value}` : quoted(`${value}`)
}

/** The rows that nested loops threw away, in all nodes of a plan. */
const thrownAway = (plan: unknown): number => {
  if (Array.isArray(plan)) return plan.reduce((sum: number, each) => sum + thrownAway(each), 0)
  if (!Predicate.isObject(plan)) return 0
  const own = Predicate.hasProperty(plan, "Rows Removed by Join Filter")
    ? Number(plan["Rows Removed by Join Filter"])
    : 0
  const loops = Predicate.hasProperty(plan, "Actual Loops") ? Number(plan["Actual Loops"]) : 1
  return Object.values(plan).reduce((sum: number, each) => sum + thrownAway(each), own * loops)
}

describe.skipIf(process.env["FAIRLEAD_TEST_DATABASE_URL"] === undefined)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  it.live("compares a hundred ends at once with each other three times at most, under a generic plan", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const stores = yield* Layer.build(PostgresStorage.layer({ url }))
      const sagas = Context.get(stores, SagaStore)
      yield* Effect.forEach(numbers, (n) => sagas.insert(createdSaga(n)), { discard: true })
      const client = yield* Layer.build(PostgresClient.layer({ url }))
      const sql = Context.get(client, PgClient.PgClient)
      const writes = yield* Effect.forEach(numbers, ending)
      const [text, values] = sql`with ${writeAll(sql, writes)} select saga_id from moved`.compile()
      const plan = yield* sql.withTransaction(
        Effect.gen(function* () {
          const run = (statement: string) => sql.unsafe(statement).unprepared
          yield* run("set local plan_cache_mode = force_generic_plan")
          yield* run("set local enable_hashjoin = off")
          yield* run("set local enable_mergejoin = off")
          yield* run(`prepare moves as ${text}`)
          const rows = yield* run(`explain (analyze, format json) execute moves (${values.map(literal).join(", ")})`)
          yield* run("deallocate moves")
          return rows
        })
      )
      assert.isBelow(thrownAway(plan), 3 * count * count)
    }).pipe(Effect.scoped)
  )
})
