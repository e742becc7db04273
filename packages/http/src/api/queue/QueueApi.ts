/** Contract of `/queue`: the queue of executions that have not ended. */

import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { UserId } from "@fairlead/core/ids/UserId"
import { Priority } from "@fairlead/core/queue/Priority"
import { QueueState } from "@fairlead/core/queue/QueueEntry"
import { QueueEntryNotFound, SlotAssigned } from "@fairlead/core/queue/QueueError"
import { PauseScope } from "@fairlead/core/queue/QueueLoad"
import { RuntimeKind } from "@fairlead/core/runtime/Job"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { area, operation } from "../Area.ts"
import { StandingStruct } from "../executions/ExecutionViews.ts"
import { pageFields, pageQuery } from "../Paging.ts"
import { problem } from "../Problem.ts"
import { text } from "../Text.ts"
import { wire } from "../Wire.ts"

const Time = Schema.DateTimeUtcFromString
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const EntryStruct = Schema.Struct({
  executionId: ExecutionId,
  ownerId: UserId,
  runtime: RuntimeKind,
  /** `assigned`: it has a slot. */
  state: QueueState,
  priority: Priority,
  /** Of one owner's entries the earliest goes first: the time of its submission or start, and a constant for each step of priority. */
  rankAt: Time,
  queuedAt: Time,
  runAt: Schema.NullOr(Time),
  /** It ends as `timeout` if it has not started then. */
  expiresAt: Time,
  concurrencyKey: Schema.NullOr(Schema.String),
  nodeId: Schema.NullOr(NodeId)
})
export type EntryView = typeof EntryStruct.Type

const PauseStruct = Schema.Struct({
  scope: PauseScope,
  at: Time,
  /** A username. */
  by: Schema.String,
  reason: Schema.String
})

export const QueueList = wire(
  "QueueList",
  Schema.Struct({
    entries: Schema.Array(EntryStruct),
    ...pageFields,
    /** Of all users. */
    runtimes: Schema.Array(
      Schema.Struct({
        runtime: RuntimeKind,
        /** Could run if a slot were free. */
        waiting: Count,
        /** Wait for their time or their key. */
        held: Count,
        running: Count,
        /** Slots on all living instances. */
        capacity: Count,
        /** What the caller's next script would have to wait; `null` while nobody can know. */
        estimatedWaitSeconds: Schema.NullOr(Count)
      })
    ),
    pauses: Schema.Array(PauseStruct)
  })
)
export const EntryDetail = wire("QueueEntry", Schema.Struct({ ...EntryStruct.fields, queue: StandingStruct }))
const PauseView = wire("QueuePause", PauseStruct)
const PauseList = wire("QueuePauseList", Schema.Struct({ pauses: Schema.Array(PauseStruct) }))
const Resumption = wire("QueueResumption", Schema.Struct({ scope: PauseScope, resumed: Schema.Boolean }))

const Scope = PauseScope.pipe(Schema.withDecodingDefaultKey(Effect.succeed<PauseScope>("all")))
const Reason = text(0, 1000)
const PauseBody = wire("PauseQueueRequest", Schema.Struct({ scope: Scope, reason: Reason }))
const ResumeBody = wire("ResumeQueueRequest", Schema.Struct({ scope: Scope, reason: Schema.optionalKey(Reason) }))
const PriorityBody = wire("ReprioritiseRequest", Schema.Struct({ priority: Priority }))

const entryNotFound = problem(QueueEntryNotFound, {
  status: 404,
  title: "Not in the queue",
  detail: ({ executionId }) => `No execution ${executionId} waits or runs.`
})
const assigned = problem(SlotAssigned, {
  status: 409,
  title: "Already started",
  detail: ({ executionId }) => `The execution ${executionId} has already started; its priority can no longer change.`
})

const params = { execution_id: ExecutionId }
const query = Schema.Struct({
  state: Schema.optional(QueueState),
  runtime: Schema.optional(RuntimeKind),
  /** For callers who may see the executions of others. */
  owner_id: Schema.optional(UserId),
  ...pageQuery(500)
})

export class QueueApi extends area("queue", "The queue: look, reorder, pause, resume", [
  HttpApiEndpoint.get("list", "/queue", { query, success: QueueList }).annotateMerge(
    operation(
      "executions:read",
      "Look at the queue",
      "Executions that the caller may see and that have not ended, in the order of rank, 100 unless `limit` says otherwise. Users " +
        "take turns: among the ranks of all, the user with the fewest running goes first. `runtimes` counts those of everybody."
    )
  ),
  HttpApiEndpoint.get("pauses", "/queue/pauses", { success: PauseList }).annotateMerge(
    operation("executions:read", "List what is paused", "Oldest first; empty when everything may start.")
  ),
  HttpApiEndpoint.post("pause", "/queue/pause", { payload: PauseBody, success: PauseView }).annotateMerge(
    operation(
      "queue:admin",
      "Pause new starts",
      "No instance starts anything of the scope from now on: `all`, or one kind of runtime. What runs goes on, and what is submitted " +
        "waits. Answers with the pause that holds; one that was there before stays as it was."
    )
  ),
  HttpApiEndpoint.post("resume", "/queue/resume", { payload: ResumeBody, success: Resumption }).annotateMerge(
    operation(
      "queue:admin",
      "End a pause",
      "Ends the pause of exactly this scope; `resumed` is false if there was none. A pause of another scope stays."
    )
  ),
  HttpApiEndpoint.get("get", "/queue/:execution_id", {
    params,
    success: EntryDetail,
    error: entryNotFound
  }).annotateMerge(
    operation(
      "executions:read",
      "Get an entry of the queue",
      "Where the execution stands. One that has ended is not there any more."
    )
  ),
  HttpApiEndpoint.patch("reprioritise", "/queue/:execution_id", {
    params,
    payload: PriorityBody,
    success: EntryDetail,
    error: [entryNotFound, assigned]
  }).annotateMerge(
    operation(
      "queue:write",
      "Change the priority of a queued execution",
      "Moves it to where it would be had it been submitted with this priority. It orders the executions of one " +
        "user, and users who have equally many running."
    )
  )
]) {}
