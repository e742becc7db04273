import { assert, describe } from "@effect/vitest"
import { Executions } from "@fairlead/core/executions/Executions"
import { IdempotencyStore } from "@fairlead/core/executions/IdempotencyStore"
import { makeReader } from "@fairlead/core/verification/StartLog"
import { type VerificationOptions, verifyAll } from "@fairlead/core/verification/Verification"
import type { Violation } from "@fairlead/core/verification/Violation"
import { instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { executionId, userId } from "@fairlead/testing/fixtures/Uuid"
import { Effect } from "effect"
import { admin, lines, live, run, source } from "../executions/support/MemoryHost.ts"
import { active, completed } from "./support/histories.ts"

/** The counts, and every violation as `invariant row`. */
const verified = Effect.fnUntraced(function* (options: Omit<VerificationOptions, "report"> = {}) {
  const told: Array<Violation> = []
  const counts = yield* verifyAll({ ...options, report: (violation) => Effect.sync(() => void told.push(violation)) })
  assert.strictEqual(counts.violations, told.length)
  return { counts, told: told.map(({ invariant, row }) => `${invariant} ${row}`) }
})

const ledgerOf = (...lines: ReadonlyArray<string>) => {
  const reader = makeReader()
  for (const line of lines) reader.add(line)
  return reader.ledger()
}

describe("verifyAll", () => {
  live(
    "counts what it read, over as many pages as there are",
    Effect.gen(function* () {
      yield* Effect.forEach(Array.from({ length: 250 }), () => run(lines("out a")), { concurrency: 10, discard: true })
      assert.deepStrictEqual(yield* verified(), {
        counts: { executions: 250, sagas: 250, logEntries: 2250, events: 2250, outputBytes: 500, violations: 0 },
        told: []
      })
    })
  )

  live(
    "names executions that are older than they may be, only when asked and only those that have not ended",
    Effect.gen(function* () {
      yield* completed
      assert.deepStrictEqual((yield* verified({ activeOlderThanSeconds: 0 })).told, [])
      yield* active
      yield* Effect.sleep("5 millis")
      assert.deepStrictEqual((yield* verified()).told, [])
      assert.deepStrictEqual((yield* verified({ activeOlderThanSeconds: 60 })).told, [])
      const { told } = yield* verified({ activeOlderThanSeconds: 0 })
      assert.strictEqual(told.length, 1)
      assert.match(told[0] ?? "", /^active_too_long executions /)
    })
  )

  live(
    "names an idempotency key that leads nowhere",
    Effect.gen(function* () {
      const keys = yield* IdempotencyStore
      yield* keys.claim({ ownerId: userId(1), key: "k", requestHash: "h", executionId: executionId(9), at: instant })
      assert.deepStrictEqual((yield* verified()).told, [`row_owned idempotency_keys ${userId(1)}/k`])
    })
  )
})

describe("verifyAll with a ledger", () => {
  live(
    "finds nothing when every script that exited has its line, also after it was deleted",
    Effect.gen(function* () {
      const first = (yield* run(lines("exit 0"))).execution.executionId
      const second = (yield* run(lines("exit 3"))).execution.executionId
      yield* run(lines("kill SIGKILL"))
      yield* (yield* Executions).remove(admin, second, source)
      const ledger = ledgerOf(`${first} 1 77 1700000000.5`, "", `${second.toUpperCase()}\t1\t78\t2026-01-01T00:00:00Z`)
      assert.deepStrictEqual((yield* verified({ ledger })).told, [])
    })
  )

  live(
    "names a script that is missing, one that ran twice, one that is unknown, and a line that says nothing",
    Effect.gen(function* () {
      const first = (yield* run(lines("exit 0"))).execution.executionId
      const second = (yield* run(lines("exit 3"))).execution.executionId
      const ledger = ledgerOf(
        `${second} 1 7 1`,
        `${second} 1 8 2`,
        `${executionId(9)} 1 9 3`,
        `${first} 1`,
        `${second} 2 9 4`
      )
      assert.deepStrictEqual((yield* verified({ ledger })).told, [
        "ledger ledger line 2",
        "ledger ledger line 4",
        `ledger executions ${first}`,
        `ledger ledger ${executionId(9)}`
      ])
    })
  )
})
