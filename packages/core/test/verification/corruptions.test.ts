/** Every kind of damage is named by the invariant that it breaks. */
import { assert, describe } from "@effect/vitest"
import { Execution } from "@fairlead/core/executions/Execution"
import { Saga } from "@fairlead/core/sagas/Saga"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import type { Invariant } from "@fairlead/core/verification/Breach"
import type { Dossier } from "@fairlead/core/verification/Dossier"
import { verify } from "@fairlead/core/verification/verify"
import { eventId, userId } from "@fairlead/testing/fixtures/Uuid"
import { DateTime, Effect, Option } from "effect"
import { live } from "../executions/support/MemoryHost.ts"
import { cancelled, completed } from "./support/histories.ts"

/** Something that can go wrong with a stored execution, and what must be said about it. */
interface Corruption {
  readonly name: string
  readonly damage: (dossier: Dossier) => Dossier
  readonly caught: ReadonlyArray<Invariant>
  /** Part of the key of the first row that is named. */
  readonly row: string
}

const execution = (change: Partial<Execution>) => (dossier: Dossier) => ({
  ...dossier,
  execution: dossier.execution && new Execution({ ...dossier.execution, ...change })
})
const saga = (change: Partial<Saga>) => (dossier: Dossier) => ({
  ...dossier,
  sagas: dossier.sagas.map((file) => ({ ...file, saga: new Saga({ ...file.saga, ...change }) }))
})
type Log = Dossier["sagas"][number]["log"]
const log = (change: (log: Log) => Log) => (dossier: Dossier) => ({
  ...dossier,
  sagas: dossier.sagas.map((file) => ({ ...file, log: change(file.log) }))
})
const events = (change: (events: Dossier["events"]) => Dossier["events"]) => (dossier: Dossier) => ({
  ...dossier,
  events: change(dossier.events)
})
const renumbered = (changed: Log) => changed.map((entry, i) => ({ ...entry, seq: i + 1 }))
const versioned = (changed: Dossier["events"]) => changed.map((event, i) => ({ ...event, streamVersion: i + 1 }))
const withoutTag = (tag: string) => (all: Dossier["events"]) => versioned(all.filter(({ event }) => event._tag !== tag))
const repeated = (tag: string) => (all: Dossier["events"]) =>
  versioned([...all, ...all.filter(({ event }) => event._tag === tag).map((e, i) => ({ ...e, eventId: eventId(i) }))])
const tagOf = ({ entry }: Log[number]) => `${entry._tag}${"step" in entry ? ` ${entry.step}` : ""}`
const swapped = (a: string, b: string) => (all: Log) =>
  renumbered(
    all.map((entry) => {
      const other = tagOf(entry) === a ? b : tagOf(entry) === b ? a : undefined
      return other === undefined ? entry : (all.find((candidate) => tagOf(candidate) === other) ?? entry)
    })
  )
const early = DateTime.makeUnsafe("2020-01-01T00:00:00Z")
const ended: SagaEntry = { _tag: "SagaEnded", end: "completed" }

const ofCompleted: ReadonlyArray<Corruption> = [
  {
    name: "a saga whose fence was lowered",
    damage: saga({ fence: 0 }),
    caught: Array.from({ length: 9 }, () => "log_fence"),
    row: "saga_log"
  },
  {
    name: "a log in which the fence falls",
    damage: log((all) => all.map((entry, i) => (i === 0 ? { ...entry, fence: 2 } : entry))),
    caught: ["log_fence", "log_fence"],
    row: "/1"
  },
  {
    name: "a log without an entry",
    damage: log((all) => all.filter((_, i) => i !== 3)),
    caught: ["log_sequence", "log_sequence", "log_sequence", "log_sequence", "log_sequence", "log_moves"],
    row: "/5"
  },
  {
    name: "a log without an entry, renumbered",
    damage: log((all) => renumbered(all.filter((_, i) => i !== 3))),
    caught: ["log_moves"],
    row: "/4"
  },
  {
    name: "a log cut off at its end",
    damage: log((all) => all.slice(0, -1)),
    caught: ["saga_projection", "saga_projection"],
    row: "sagas "
  },
  {
    name: "a log that goes on behind its end",
    damage: log((all) => renumbered([...all, { seq: 0, fence: 1, at: early, entry: ended }])),
    caught: ["log_moves"],
    row: "/10"
  },
  {
    name: "a saga row that says less than its log",
    damage: saga({ completedSteps: [], retryCount: 1 }),
    caught: ["saga_projection", "saga_projection"],
    row: "sagas "
  },
  {
    name: "a saga row that lives on",
    damage: saga({ state: "running" }),
    caught: ["saga_end", "saga_end", "saga_projection", "saga_projection", "event_story"],
    row: "sagas "
  },
  {
    name: "a saga that ended in another way than its execution",
    damage: saga({ state: "cancelled" }),
    caught: ["saga_end", "saga_projection", "event_story"],
    row: "sagas "
  },
  {
    name: "an execution without a saga",
    damage: (dossier) => ({ ...dossier, sagas: [] }),
    caught: ["saga_end"],
    row: "executions "
  },
  {
    name: "a status that was changed",
    damage: execution({ status: "failed" }),
    caught: ["execution_state", "event_story"],
    row: "executions "
  },
  {
    name: "a status that went back",
    damage: execution({ status: "running" }),
    caught: ["execution_state", "execution_state", "saga_end", "event_story"],
    row: "executions "
  },
  {
    name: "times out of order",
    damage: execution({ finishedAt: early }),
    caught: ["execution_state"],
    row: "executions "
  },
  {
    name: "an attempt that was not counted",
    damage: execution({ attempt: 0 }),
    caught: ["execution_state", "started_once", "output_size", "output_size"],
    row: "executions "
  },
  {
    name: "no event of the end",
    damage: events(withoutTag("ExecutionCompleted")),
    caught: ["event_story"],
    row: "execution/"
  },
  {
    name: "two events of the end",
    damage: events(repeated("ExecutionCompleted")),
    caught: ["event_story"],
    row: "/10"
  },
  {
    name: "an event behind the end",
    damage: events(repeated("ExecutionRunning")),
    caught: ["event_story", "started_once"],
    row: "/10"
  },
  {
    name: "a second start of an attempt",
    damage: events(repeated("ExecutionStarted")),
    caught: ["event_story", "started_once"],
    row: "/10"
  },
  {
    name: "no event of the beginning",
    damage: events(withoutTag("ExecutionRequested")),
    caught: ["event_story"],
    row: "execution/"
  },
  {
    name: "a gap in the stream",
    damage: events((all) => all.filter((_, i) => i !== 1)),
    caught: Array.from({ length: 7 }, () => "event_order"),
    row: "/3"
  },
  {
    name: "no event of the result",
    damage: events(withoutTag("ResultStored")),
    caught: ["event_story"],
    row: "execution/"
  },
  {
    name: "no event of the saga's end",
    damage: events(withoutTag("SagaCompleted")),
    caught: ["event_story"],
    row: "sagas "
  },
  {
    name: "output with a gap",
    damage: (dossier) => ({
      ...dossier,
      extents: dossier.extents.flatMap((extent) =>
        extent.output === "stderr"
          ? [extent]
          : [
              { ...extent, length: 2 },
              { ...extent, offset: 3, length: 3 }
            ]
      )
    }),
    caught: ["output_contiguous", "output_size"],
    row: "/1/stdout/3"
  },
  {
    name: "output that overlaps",
    damage: (dossier) => ({
      ...dossier,
      extents: dossier.extents.flatMap((extent) =>
        extent.output === "stderr"
          ? [extent]
          : [
              { ...extent, length: 4 },
              { ...extent, offset: 2, length: 2 }
            ]
      )
    }),
    caught: ["output_contiguous"],
    row: "/1/stdout/2"
  },
  {
    name: "more output than the outcome says",
    damage: (dossier) => ({
      ...dossier,
      extents: dossier.extents.map((extent) => ({ ...extent, length: extent.length + 1 }))
    }),
    caught: ["output_size", "output_size"],
    row: "/1/stdout"
  },
  {
    name: "more output than the limit",
    damage: (dossier) => ({
      ...dossier,
      execution:
        dossier.execution &&
        new Execution({ ...dossier.execution, limits: { ...dossier.execution.limits, outputBytes: 5 } })
    }),
    caught: ["output_size"],
    row: "/1/stdout/0"
  },
  {
    name: "output of an attempt that never was",
    damage: (dossier) => ({
      ...dossier,
      extents: [...dossier.extents, { attempt: 3, output: "stdout", offset: 0, length: 1 }]
    }),
    caught: ["output_size"],
    row: "/3/stdout/0"
  },
  {
    name: "an idempotency key of somebody else",
    damage: (dossier) => ({ ...dossier, keys: [{ ownerId: userId(2), key: "k" }] }),
    caught: ["row_owned"],
    row: "/k"
  },
  {
    name: "an event that does not decode",
    damage: (dossier) => ({
      ...dossier,
      events: dossier.events.slice(1),
      unreadable: [{ part: "events", key: "execution/x/1", problem: "broken" }]
    }),
    caught: ["row_readable"],
    row: "execution/x/1"
  },
  {
    name: "an execution that does not decode",
    damage: (dossier) => ({
      ...dossier,
      execution: undefined,
      unreadable: [{ part: "executions", key: "x", problem: "broken" }]
    }),
    caught: ["row_readable"],
    row: "executions x"
  }
]

const ofCancelled: ReadonlyArray<Corruption> = [
  {
    name: "steps undone in the order in which they were done",
    damage: log(swapped("StepUndone start_job", "StepUndone queue_execution")),
    caught: ["compensation"],
    row: "saga_log"
  },
  {
    name: "a step that was not undone",
    damage: log((all) => renumbered(all.filter((entry) => tagOf(entry) !== "StepUndone queue_execution"))),
    caught: ["compensation"],
    row: "saga_log"
  },
  {
    name: "a step that was undone twice",
    damage: log((all) =>
      renumbered(all.flatMap((entry) => (tagOf(entry) === "StepUndone queue_execution" ? [entry, entry] : [entry])))
    ),
    caught: ["compensation"],
    row: "saga_log"
  },
  {
    name: "an undoing that no event tells",
    damage: events((all) =>
      versioned(all.filter(({ event }) => event._tag !== "SagaCompensating" || event.compensatingStep !== "start_job"))
    ),
    caught: ["compensation"],
    row: "sagas "
  },
  {
    name: "an outcome that blames the script",
    damage: (dossier) =>
      execution({
        outcome: { ...Option.getOrThrow(Option.fromNullishOr(dossier.execution?.outcome)), errorType: "script_error" }
      })(dossier),
    caught: ["execution_state"],
    row: "executions "
  }
]

const suite = (name: string, history: typeof completed | typeof cancelled, corruptions: ReadonlyArray<Corruption>) =>
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

suite("a completed", completed, ofCompleted)
suite("a cancelled", cancelled, ofCancelled)
