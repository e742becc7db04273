/** Verifies a whole database, page by page, in bounded memory. Reads only. */
import { DateTime, Duration, Effect } from "effect"
import type { Execution } from "../executions/Execution.ts"
import { isTerminal } from "../executions/ExecutionStatus.ts"
import type { ExecutionRecords } from "./ExecutionRecords.ts"
import { IntegrityReader } from "./IntegrityReader.ts"
import { type Ledger, missingIn } from "./StartLog.ts"
import { unless, type Violation } from "./Violation.ts"
import { verify } from "./verify.ts"

/** Executions held in memory at a time. */
const pageSize = 200
/** Executions of a ledger that are looked up in one call. */
const lookupSize = 500

export interface VerificationOptions {
  /** Executions that have not ended and are older than this are violations. Absent: their age is not judged. */
  readonly activeOlderThanSeconds?: number | undefined
  readonly ledger?: Ledger | undefined
  /** Told of every violation as it is found. */
  readonly report: (violation: Violation) => Effect.Effect<void>
}

/** How much was read. */
export interface VerificationCounts {
  readonly executions: number
  readonly sagas: number
  readonly logEntries: number
  readonly events: number
  readonly outputBytes: number
  readonly violations: number
}

/** Reads everything once and reports every violation. On a database in use each execution is judged at one moment, not all at the same. */
export const verifyAll = Effect.fn("Verification.verifyAll")(function* (options: VerificationOptions) {
  const store = yield* IntegrityReader
  const now = yield* DateTime.now
  const { activeOlderThanSeconds, ledger } = options
  const unseen = new Set(ledger?.executionIds)
  let counts: VerificationCounts = { executions: 0, sagas: 0, logEntries: 0, events: 0, outputBytes: 0, violations: 0 }

  const tell = Effect.fnUntraced(function* (violations: ReadonlyArray<Violation>) {
    counts = { ...counts, violations: counts.violations + violations.length }
    yield* Effect.forEach(violations, options.report, { discard: true })
  })
  const judge = Effect.fnUntraced(function* (records: ExecutionRecords) {
    const { execution, executionId } = records
    counts = counted(counts, records)
    unseen.delete(executionId)
    yield* tell(verify(records))
    if (execution === undefined) return
    if (activeOlderThanSeconds !== undefined) yield* tell(tooOld(execution, now, activeOlderThanSeconds))
    if (ledger !== undefined) yield* tell(missingIn(ledger, execution))
  })

  yield* tell(ledger?.violations ?? [])
  let after: string | undefined
  while (true) {
    const page = yield* store.page(after, pageSize)
    yield* Effect.forEach(page, judge, { discard: true })
    after = page.at(-1)?.executionId
    if (after === undefined) break
  }
  yield* tell(yield* store.violations)
  const unknown = [...unseen]
  for (let from = 0; from < unknown.length; from += lookupSize)
    yield* tell(yield* notStored(store, unknown.slice(from, from + lookupSize)))
  return counts
})

const counted = (counts: VerificationCounts, { events, extents, sagas }: ExecutionRecords): VerificationCounts => ({
  ...counts,
  executions: counts.executions + 1,
  sagas: counts.sagas + sagas.length,
  logEntries: sagas.reduce((total, { log }) => total + log.length, counts.logEntries),
  events: counts.events + events.length,
  outputBytes: extents.reduce(
    (total, { length, output }) => total + (output === "order" ? 0 : length),
    counts.outputBytes
  )
})

const tooOld = (execution: Execution, now: DateTime.Utc, seconds: number) => {
  const age = Duration.toSeconds(DateTime.distance(execution.createdAt, now))
  return unless(
    isTerminal(execution.status) || age <= seconds,
    "active_too_long",
    `executions ${execution.executionId}`,
    `it is ${execution.status} after ${Math.floor(age)} s`
  )
}

/** Scripts that ran for executions of which nothing is known, not even that they were deleted. */
const notStored = Effect.fnUntraced(function* (store: IntegrityReader["Service"], executionIds: ReadonlyArray<string>) {
  const deleted = new Set(yield* store.deleted(executionIds))
  return executionIds
    .filter((id) => !deleted.has(id))
    .flatMap((id) => unless(false, "ledger", `ledger ${id}`, "a script ran for an execution that is not stored"))
})
