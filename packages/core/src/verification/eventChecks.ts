/** Whether the events of an execution tell its story: from its beginning, once, to the end that its row shows. */
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { Execution } from "../executions/Execution.ts"
import { isTerminal, type TerminalStatus } from "../executions/ExecutionStatus.ts"
import { isEnded } from "../sagas/Saga.ts"
import { type Check, isWhole, type SagaFile } from "./ExecutionRecords.ts"
import { type Invariant, unless, type Violation } from "./Violation.ts"

type Event = StoredEvent["event"]

/** A judgement on a stream of which every event decoded. */
const ofStream =
  (check: Check): Check =>
  (records) =>
    isWhole(records, "events") ? check(records) : []

const dense = ofStream(({ events }) =>
  events.flatMap((event, i) =>
    unless(event.streamVersion === i + 1, "event_order", rowOf(event), `it is event ${i + 1} of its stream`)
  )
)

const about = ofStream(({ events, executionId }) =>
  events.flatMap((stored) =>
    unless(
      stored.aggregateId === executionId &&
        (!("executionId" in stored.event) || stored.event.executionId === executionId),
      "event_story",
      rowOf(stored),
      "it is about another execution"
    )
  )
)

const begun = ofStream(({ events, executionId }) => {
  const stream = `events execution/${executionId}`
  return [
    ...unless(
      events[0]?.event._tag === "ExecutionRequested",
      "event_story",
      stream,
      "it does not begin with ExecutionRequested"
    ),
    ...noneAfterFirst(
      events.filter(({ event }) => event._tag === "ExecutionRequested"),
      "event_story"
    )
  ]
})

const endTags: Record<TerminalStatus, Event["_tag"]> = {
  completed: "ExecutionCompleted",
  failed: "ExecutionFailed",
  timeout: "ExecutionTimeout",
  cancelled: "ExecutionCancelled",
  error: "ExecutionFailed"
}
const isEnd = ({ event }: StoredEvent) => Object.values(endTags).includes(event._tag)
const ofExecution = ({ event }: StoredEvent) => event._tag.startsWith("Execution")
const isResult = ({ event }: StoredEvent) => event._tag === "ResultStored" || event._tag === "ResultFailed"

const ended = ofStream(({ events, execution }) => {
  if (execution === undefined) return []
  const ends = events.filter(isEnd)
  const [end] = ends
  if (!isTerminal(execution.status))
    return ends.flatMap((event) => unless(false, "event_story", rowOf(event), `its execution is ${execution.status}`))
  if (end === undefined)
    return unless(false, "event_story", streamOf(execution), `it is ${execution.status}, and no event tells its end`)
  const after = events.filter(({ streamVersion }) => streamVersion > end.streamVersion)
  return [
    ...noneAfterFirst(ends, "event_story"),
    ...unless(
      tells(end.event, execution),
      "event_story",
      rowOf(end),
      `${end.event._tag} does not tell the end of the row`
    ),
    ...after
      .filter((stored) => ofExecution(stored) && !isEnd(stored) && stored.event._tag !== "ExecutionDeleted")
      .flatMap((event) => unless(false, "event_story", rowOf(event), `${event.event._tag} comes after the end`)),
    ...resulted(execution, after.filter(isResult), events.filter(isResult))
  ]
})

const tells = (event: Event, { outcome, status }: Execution): boolean => {
  if (!isTerminal(status) || event._tag !== endTags[status]) return false
  switch (event._tag) {
    case "ExecutionCompleted":
      return event.exitCode === (outcome?.exitCode ?? 0)
    case "ExecutionFailed":
      return event.exitCode === (outcome?.exitCode ?? -1) && event.errorType === (outcome?.errorType ?? null)
    default:
      return true
  }
}

const resulted = (
  execution: Execution,
  after: ReadonlyArray<StoredEvent>,
  all: ReadonlyArray<StoredEvent>
): ReadonlyArray<Violation> => {
  const sizeBytes = (execution.outcome?.stdoutBytes ?? 0) + (execution.outcome?.stderrBytes ?? 0)
  return [
    ...unless(
      after.length > 0,
      "event_story",
      streamOf(execution),
      "no event says after the end that there is a result"
    ),
    ...noneAfterFirst(all, "event_story"),
    ...after.flatMap((stored) =>
      unless(
        stored.event._tag !== "ResultStored" || stored.event.sizeBytes === sizeBytes,
        "event_story",
        rowOf(stored),
        `its size is not that of the outcome, ${sizeBytes} bytes`
      )
    )
  ]
}

/** Each earlier attempt is told to have failed, once and in order. */
const retried = ofStream(({ events, execution }) => {
  if (execution === undefined) return []
  const told = events.flatMap(({ event }) => (event._tag === "ExecutionAttemptFailed" ? [event.attempt] : []))
  const stored = (execution.earlierAttempts ?? []).map(({ attempt }) => attempt)
  return unless(
    told.join() === stored.join(),
    "event_story",
    streamOf(execution),
    `its events tell the failure of attempts ${told.join(", ") || "none"}, its row of ${stored.join(", ") || "none"}`
  )
})

const kept = ofStream(({ events, execution }) =>
  events
    .filter(({ event }) => event._tag === "ExecutionDeleted" && execution !== undefined)
    .flatMap((event) => unless(false, "event_story", rowOf(event), "its execution is still there"))
)

/** A job is named after its attempt, so each name may start and run once. */
const startedOnce = ofStream(({ events, execution }) => {
  const starts = events.flatMap((stored) =>
    stored.event._tag === "ExecutionStarted" || stored.event._tag === "ExecutionRunning"
      ? [{ stored, name: `${stored.event._tag} ${stored.event.podName}`, attempt: attemptOf(stored.event) }]
      : []
  )
  return starts.flatMap(({ attempt, name, stored }, i) => [
    ...unless(
      starts.findIndex((other) => other.name === name) === i,
      "started_once",
      rowOf(stored),
      `${name} was told before`
    ),
    ...unless(
      execution === undefined || attempt <= execution.attempt,
      "started_once",
      rowOf(stored),
      `attempt ${attempt} started, the execution counts ${execution?.attempt}`
    )
  ])
})

/** 0 where the event does not tell. */
const attemptOf = (event: Event) => (event._tag === "ExecutionStarted" ? (event.attempt ?? 1) : 0)

const sagaTold: Check = (records) => {
  if (!isWhole(records, "events", "sagas")) return []
  return records.sagas.flatMap((file) => {
    const own = records.events.filter(({ event }) => "sagaId" in event && event.sagaId === file.saga.sagaId)
    return [...lifeOf(file, own), ...undoingOf(file, own)]
  })
}

const sagaEnds: Record<string, ReadonlyArray<Event["_tag"]>> = {
  completed: ["SagaCompleted"],
  failed: ["SagaCompensated", "SagaFailed"],
  timeout: ["SagaCompensated", "SagaFailed"],
  cancelled: ["SagaCompensated", "SagaCancelled"]
}

const lifeOf = ({ saga }: SagaFile, events: ReadonlyArray<StoredEvent>): ReadonlyArray<Violation> => {
  const told = events.map(({ event }) => event._tag).filter((tag) => tag !== "SagaCompensating")
  const due = ["SagaStarted", ...(isEnded(saga.state) ? (sagaEnds[saga.state] ?? []) : [])]
  return unless(
    told.join() === due.join(),
    "event_story",
    `sagas ${saga.sagaId}`,
    `it is ${saga.state}, its events are ${told.join(", ") || "none"}`
  )
}

const undoingOf = ({ saga }: SagaFile, events: ReadonlyArray<StoredEvent>): ReadonlyArray<Violation> => {
  const told = events.flatMap(({ event }) => (event._tag === "SagaCompensating" ? [event.compensatingStep] : []))
  return unless(
    told.join() === saga.compensatedSteps.join(),
    "compensation",
    `sagas ${saga.sagaId}`,
    `its events tell the undoing of ${told.join(", ") || "nothing"}, its row of ${saga.compensatedSteps.join(", ") || "nothing"}`
  )
}

const noneAfterFirst = (events: ReadonlyArray<StoredEvent>, invariant: Invariant): ReadonlyArray<Violation> =>
  events.slice(1).flatMap((event) => unless(false, invariant, rowOf(event), `another ${event.event._tag}`))

const rowOf = ({ stream, streamVersion }: StoredEvent) => `events ${stream}/${streamVersion}`
const streamOf = ({ executionId }: Execution) => `events execution/${executionId}`

export const eventChecks: ReadonlyArray<Check> = [dense, about, begun, ended, retried, kept, startedOnce, sagaTold]
