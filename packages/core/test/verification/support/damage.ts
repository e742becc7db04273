/** Ways to damage a dossier, and the suite that wants each to be named. */
import { assert, describe } from "@effect/vitest"
import { Execution } from "@fairlead/core/executions/Execution"
import { Saga } from "@fairlead/core/sagas/Saga"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import type { Invariant } from "@fairlead/core/verification/Breach"
import type { Dossier } from "@fairlead/core/verification/Dossier"
import { verify } from "@fairlead/core/verification/verify"
import { eventId } from "@fairlead/testing/fixtures/Uuid"
import { DateTime, Effect } from "effect"
import { live } from "../../executions/support/MemoryHost.ts"
import type { cancelled, completed } from "./histories.ts"

/** Something that can go wrong with a stored execution, and what must be said about it. */
export interface Corruption {
  readonly name: string
  readonly damage: (dossier: Dossier) => Dossier
  readonly caught: ReadonlyArray<Invariant>
  /** Part of the key of the first row that is named. */
  readonly row: string
}

export const execution = (change: Partial<Execution>) => (dossier: Dossier) => ({
  ...dossier,
  execution: dossier.execution && new Execution({ ...dossier.execution, ...change })
})
export const saga = (change: Partial<Saga>) => (dossier: Dossier) => ({
  ...dossier,
  sagas: dossier.sagas.map((file) => ({ ...file, saga: new Saga({ ...file.saga, ...change }) }))
})
type Log = Dossier["sagas"][number]["log"]
export const log = (change: (log: Log) => Log) => (dossier: Dossier) => ({
  ...dossier,
  sagas: dossier.sagas.map((file) => ({ ...file, log: change(file.log) }))
})
export const events = (change: (events: Dossier["events"]) => Dossier["events"]) => (dossier: Dossier) => ({
  ...dossier,
  events: change(dossier.events)
})
export const renumbered = (changed: Log) => changed.map((entry, i) => ({ ...entry, seq: i + 1 }))
export const versioned = (changed: Dossier["events"]) => changed.map((event, i) => ({ ...event, streamVersion: i + 1 }))
export const withoutTag = (tag: string) => (all: Dossier["events"]) =>
  versioned(all.filter(({ event }) => event._tag !== tag))
export const repeated = (tag: string) => (all: Dossier["events"]) =>
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
          const dossier = yield* history
          assert.deepStrictEqual(verify(dossier), [])
          const found = verify(damage(dossier))
          assert.deepStrictEqual(
            found.map(({ invariant }) => invariant),
            caught
          )
          assert.include(found[0]?.row, row)
        })
      )
  })
