/** Every kind of damage to a saga and its log is named by the invariant that it breaks. */
import { type Corruption, early, ended, log, renumbered, saga, suite, swapped, tagOf } from "./support/damage.ts"
import { cancelled, completed } from "./support/histories.ts"

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
    damage: (records) => ({ ...records, sagas: [] }),
    caught: ["saga_end"],
    row: "executions "
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
  }
]

suite("a completed", completed, ofCompleted)
suite("a cancelled", cancelled, ofCancelled)
