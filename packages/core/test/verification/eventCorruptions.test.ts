/** Every kind of damage to the events of an execution is named by the invariant that it breaks. */
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { executionId } from "@fairlead/testing/fixtures/Uuid"
import { type Corruption, events, repeated, suite, versioned, withoutTag } from "./support/damage.ts"
import { cancelled, completed } from "./support/histories.ts"

const ofCompleted: ReadonlyArray<Corruption> = [
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
    name: "an event about another execution",
    damage: events((all) => all.map((event, i) => (i === 1 ? { ...event, aggregateId: executionId(9) } : event))),
    caught: ["event_story"],
    row: "/2"
  },
  {
    name: "an execution that was deleted and is still there",
    damage: events((all) =>
      versioned([
        ...all,
        ...all.slice(0, 1).map((first) => ({
          ...first,
          event: { _tag: "ExecutionDeleted" as const, executionId: ExecutionId.make(first.aggregateId), deletedBy: "x" }
        }))
      ])
    ),
    caught: ["event_story"],
    row: "/10"
  }
]

const ofCancelled: ReadonlyArray<Corruption> = [
  {
    name: "an undoing that no event tells",
    damage: events((all) =>
      versioned(all.filter(({ event }) => event._tag !== "SagaCompensating" || event.compensatingStep !== "start_job"))
    ),
    caught: ["compensation"],
    row: "sagas "
  }
]

suite("a completed", completed, ofCompleted)
suite("a cancelled", cancelled, ofCancelled)
