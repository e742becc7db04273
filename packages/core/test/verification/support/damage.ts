/** Ways to damage the records of an execution, and the suite that wants each to be named. */
import { assert, describe } from "@effect/vitest"
import { Execution } from "@fairlead/core/executions/Execution"
import { Saga } from "@fairlead/core/sagas/Saga"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import type { ExecutionRecords } from "@fairlead/core/verification/ExecutionRecords"
import type { Invariant } from "@fairlead/core/verification/Violation"
import { verify } from "@fairlead/core/verification/verify"
import { eventId } from "@fairlead/testing/fixtures/Uuid"
import { DateTime, Effect } from "effect"
import { live } from "../../executions/support/MemoryHost.ts"
import type { cancelled, completed } from "./histories.ts"

/** Something that can go wrong with a stored execution, and what must be said about it. */
export interface Corruption {
  readonly name: string
  readonly damage: (records: ExecutionRecords) => ExecutionRecords
  readonly caught: ReadonlyArray<Invariant>
  /** Part of the key of the first row that is named. */
  readonly row: string
}

export const execution = (change: Partial<Execution>) => (records: ExecutionRecords) => ({
  ...records,
  execution: records.execution && new Execution({ ...records.execution, ...change })
})
export const saga = (change: Partial<Saga>) => (records: ExecutionRecords) => ({
  ...records,
  sagas: records.sagas.map((file) => ({ ...file, saga: new Saga({ ...file.saga, ...change }) }))
})
type Log = ExecutionRecords["sagas"][number]["log"]
export const log = (change: (log: Log) => Log) => (records: ExecutionRecords) => ({
  ...records,
  sagas: records.sagas.map((file) => ({ ...file, log: change(file.log) }))
})
export const events =
  (change: (events: ExecutionRecords["events"]) => ExecutionRecords["events"]) => (records: ExecutionRecords) => ({
    ...records,
    events: change(records.events)
  })
export const renumbered = (changed: Log) => changed.map((entry, i) => ({ ...entry, seq: i + 1 }))
export const versioned = (changed: ExecutionRecords["events"]) =>
  changed.map((event, i) => ({ ...event, streamVersion: i + 1 }))
export const withoutTag = (tag: string) => (all: ExecutionRecords["events"]) =>
  versioned(all.filter(({ event }) => event._tag !== tag))
export const repeated = (tag: string) => (all: ExecutionRecords["events"]) =>
  versioned([...all, ...all.filter(({ event }) => event._tag === tag).map((e, i) => ({ ...e, eventId: eventId(i) }))])
export const tagOf = ({ entry }: Log[number]) => `${entry._tag}${"step" in entry ? ` ${entry.step}` : ""}`
export const swapped = (a: string, b: string) => (all: Log) =>
  renumbered(
    all.map((entry) => {
      const other = tagOf(entry) === a ? b : tagOf(entry) === b ? a : undefined
      return other === undefined ? entry : (all.find((candidate) => tagOf(candidate) === other) ?? entry)
    })
  )
export const early = DateTime.makeUnsafe("2020-01-01T00:00:00Z")
export const ended: SagaEntry = { _tag: "SagaEnded", end: "completed" }

export const suite = (
  name: string,
  history: typeof completed | typeof cancelled,
  corruptions: ReadonlyArray<Corruption>
) =>
  describe(`verify names, in ${name} execution,`, () => {
    for (const { caught, damage, name, row } of corruptions)
      live(
        name,
        Effect.gen(function* () {
          const records = yield* history
          assert.deepStrictEqual(verify(records), [])
          const found = verify(damage(records))
          assert.deepStrictEqual(
            found.map(({ invariant }) => invariant),
            caught
          )
          assert.include(found[0]?.row, row)
        })
      )
  })
