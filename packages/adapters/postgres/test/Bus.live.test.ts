/** The bus on a server: its ledger, and a member whose whole process is killed. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Bus } from "@fairlead/core/bus/Bus"
import { EventLog } from "@fairlead/core/events/EventLog"
import * as PostgresClient from "@fairlead/postgres/PostgresClient"
import * as PostgresConsumerGroupStore from "@fairlead/postgres/PostgresConsumerGroupStore"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { layerMigrations } from "@fairlead/postgres/PostgresStorage"
import * as ConsumerGroupStoreContract from "@fairlead/testing/contracts/ConsumerGroupStoreContract"
import { runningEvent } from "@fairlead/testing/fixtures/EventFixtures"
import { Context, Effect, Layer, Queue, Redacted, Schedule } from "effect"
import { subscription } from "./support/busSubscription.ts"
import { freshDatabase } from "./support/freshDatabase.ts"

/** A member in another process. Tells each event that it takes, and holds the third of a stream for ever. */
const otherMember = (url: Redacted.Redacted) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const lines = yield* Queue.unbounded<string>()
      const script = fileURLToPath(new URL("support/busHost.ts", import.meta.url))
      const child = spawn(process.execPath, [script, Redacted.value(url)], { stdio: ["ignore", "pipe", "inherit"] })
      createInterface({ input: child.stdout }).on("line", (line) => Queue.offerUnsafe(lines, line))
      return { lines, kill: Effect.sync(() => child.kill("SIGKILL")) }
    }),
    ({ kill }) => kill
  )

describe.skipIf(process.env["FAIRLEAD_TEST_DATABASE_URL"] === undefined)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  ConsumerGroupStoreContract.suite(
    "postgres",
    Layer.unwrap(
      Effect.map(freshDatabase, (url) =>
        PostgresConsumerGroupStore.layer.pipe(
          Layer.provide(layerMigrations),
          Layer.provide(PostgresClient.layer({ url }))
        )
      )
    )
  )

  it.live(
    "another host goes on when the process of a member is killed, not before its lease lapsed, and skips nothing",
    () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const stores = yield* Layer.build(PostgresStorage.layer({ url }))
        const other = yield* otherMember(url)
        assert.strictEqual(yield* Queue.take(other.lines), "ready")
        yield* Context.get(stores, EventLog).append("s", [1, 2, 3, 4].map(runningEvent))
        for (const n of [1, 2, 3]) assert.strictEqual(yield* Queue.take(other.lines), `${n}`)
        const taken: Array<number> = []
        yield* Context.get(stores, Bus).consume(subscription, ({ streamVersion }) =>
          Effect.sync(() => void taken.push(streamVersion))
        )
        // Longer than the lease: a holder that lives keeps it.
        yield* Effect.timeoutOption(Effect.never, "12 seconds")
        assert.deepStrictEqual(taken, [])
        yield* other.kill
        yield* Effect.sync(() => taken.includes(4)).pipe(
          Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("20 millis") }),
          Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.die("nobody took over") })
        )
        assert.deepStrictEqual(taken.slice(-2), [3, 4])
      }).pipe(Effect.scoped),
    { timeout: 60_000 }
  )
})
