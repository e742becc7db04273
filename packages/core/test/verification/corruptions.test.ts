/** Every kind of damage to an execution and its output is named by the invariant that it breaks. */
import { Execution } from "@fairlead/core/executions/Execution"
import { userId } from "@fairlead/testing/fixtures/Uuid"
import { Option } from "effect"
import { type Corruption, early, execution, suite } from "./support/damage.ts"
import { cancelled, completed } from "./support/histories.ts"

const ofCompleted: ReadonlyArray<Corruption> = [
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
    name: "output with a gap",
    damage: (records) => ({
      ...records,
      extents: records.extents.flatMap((extent) =>
        extent.output !== "stdout"
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
    damage: (records) => ({
      ...records,
      extents: records.extents.flatMap((extent) =>
        extent.output !== "stdout"
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
    damage: (records) => ({
      ...records,
      extents: records.extents.map((extent) => ({ ...extent, length: extent.length + 1 }))
    }),
    caught: ["output_size", "output_size"],
    row: "/1/stdout"
  },
  {
    name: "more output than the limit",
    damage: (records) => ({
      ...records,
      execution:
        records.execution &&
        new Execution({ ...records.execution, limits: { ...records.execution.limits, outputBytes: 5 } })
    }),
    caught: ["output_size"],
    row: "/1/stdout/0"
  },
  {
    name: "output of an attempt that never was",
    damage: (records) => ({
      ...records,
      extents: [...records.extents, { attempt: 3, output: "stdout", offset: 0, length: 1 }]
    }),
    caught: ["output_size"],
    row: "/3/stdout/0"
  },
  {
    name: "an idempotency key of somebody else",
    damage: (records) => ({ ...records, keys: [{ ownerId: userId(2), key: "k" }] }),
    caught: ["row_owned"],
    row: "/k"
  },
  {
    name: "an event that does not decode",
    damage: (records) => ({
      ...records,
      events: records.events.slice(1),
      unreadable: [{ part: "events", key: "execution/x/1", problem: "broken" }]
    }),
    caught: ["row_readable"],
    row: "execution/x/1"
  },
  {
    name: "an execution that does not decode",
    damage: (records) => ({
      ...records,
      execution: undefined,
      unreadable: [{ part: "executions", key: "x", problem: "broken" }]
    }),
    caught: ["row_readable"],
    row: "executions x"
  }
]

const ofCancelled: ReadonlyArray<Corruption> = [
  {
    name: "an outcome that blames the script",
    damage: (records) =>
      execution({
        outcome: { ...Option.getOrThrow(Option.fromNullishOr(records.execution?.outcome)), errorType: "script_error" }
      })(records),
    caught: ["execution_state"],
    row: "executions "
  }
]

suite("a completed", completed, ofCompleted)
suite("a cancelled", cancelled, ofCancelled)
