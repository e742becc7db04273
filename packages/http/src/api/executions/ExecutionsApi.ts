/** Contract of executions: `/executions` and the addresses where existing clients look for parts of it. */

import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiSchema, OpenApi } from "effect/http-api"
import { RequiredPermission } from "../Access.ts"
import { areaWithPublic, operation } from "../Area.ts"
import { WireEvent } from "../events/WireEvent.ts"
import { HttpStatuses } from "../HttpStatuses.ts"
import { ExecutionFrame } from "./ExecutionFrames.ts"
import * as Problems from "./ExecutionProblems.ts"
import * as Requests from "./ExecutionRequests.ts"
import * as Views from "./ExecutionViews.ts"

const { executionNotFound } = Problems
const params = { execution_id: ExecutionId }

const submit = HttpApiEndpoint.post("submit", "/executions", {
  headers: Requests.submitHeaders,
  query: Requests.waitQuery,
  payload: Requests.ExecutionRequest,
  success: HttpApiSchema.WithHeaders(Views.Accepted, { "preference-applied": Schema.optional(Schema.String) }),
  error: [
    Problems.languageUnsupported,
    Problems.limitTooHigh,
    Problems.runAtTooFar,
    Problems.queueFull,
    Problems.storedOutputExhausted,
    Problems.idempotencyKeyReused
  ]
}).annotateMerge(
  operation(
    "executions:run",
    "Run a script",
    "Accepts a script. Once this is answered, the execution survives a crash of every instance. With an `Idempotency-Key`, the " +
      "same request again within 24 hours is answered with the first execution; the key with another request is refused. " +
      "`run_at`, `queue_ttl_seconds`, `concurrency_key` and `retry` say when it may start, how long it may wait, beside what it may " +
      "not run, and when it is tried again. With `wait_seconds` or `Prefer: wait=N` the answer is held back until the execution ends, for at most that long, and " +
      "carries its result if it did."
  )
)

const list = HttpApiEndpoint.get("list", "/executions", {
  query: Requests.listQuery,
  success: Views.ResultList
}).annotateMerge(
  operation(
    "executions:read",
    "List executions",
    "Executions that the caller may see, newest first. `skip` and `offset` are the same. `status` takes several, separated by commas or repeated; " +
      "`label` may be repeated, and then all must be there. The times restrict `created_at`: " +
      "from `start_time` on and before `end_time`."
  )
)

const listOwn = HttpApiEndpoint.get("listOwn", "/user/executions", {
  query: Requests.listQuery,
  success: Views.ResultList
}).annotateMerge(
  operation(
    "executions:read",
    "List the caller's own executions",
    "Like the list of executions, without those of other users whatever the caller may see."
  )
)

const get = HttpApiEndpoint.get("get", "/executions/:execution_id", {
  params,
  success: Views.ExecutionView,
  error: executionNotFound
}).annotateMerge(
  operation(
    "executions:read",
    "Get an execution",
    "What was asked for, where it stands and how it ended, with its earlier attempts, without output. While it waits, `queue` " +
      "tells its position in the queue. The environment is never answered."
  )
)

const update = HttpApiEndpoint.patch("update", "/executions/:execution_id", {
  params,
  payload: Requests.ExecutionChange,
  success: Views.ExecutionView,
  error: [executionNotFound, Problems.tooManyLabels]
}).annotateMerge(
  operation(
    "executions:write",
    "Name and label an execution",
    "At any time, also when it has ended. What is absent stays, `null` takes a name or a label away. They mean nothing to what runs."
  )
)

const attempts = HttpApiEndpoint.get("attempts", "/executions/:execution_id/attempts", {
  params,
  success: Views.AttemptList,
  error: executionNotFound
}).annotateMerge(
  operation(
    "executions:read",
    "List the attempts of an execution",
    "Oldest first; the last one is the current, which may still wait for its start. Each has output of its own: read it with " +
      "`attempt` at the logs and the result."
  )
)

const result = HttpApiEndpoint.get("result", "/executions/:execution_id/result", {
  params,
  query: Requests.resultQuery,
  success: Views.ResultView,
  error: [executionNotFound, Problems.attemptNotFound]
}).annotateMerge(
  operation(
    "executions:read",
    "Get the result of an execution",
    "Status, output and exit code. With `wait_seconds` the answer is held back until the execution ends, for at most that " +
      "long; what is not known yet is `null`. With `attempt` it is what that attempt left, without waiting."
  )
)

const cancel = HttpApiEndpoint.post("cancel", "/executions/:execution_id/cancel", {
  params,
  payload: [Requests.CancelBody, Requests.NoBody],
  success: Views.Cancellation,
  error: [executionNotFound, Problems.notCancellable]
}).annotateMerge(
  operation(
    "executions:write",
    "Cancel an execution",
    "Asks the execution to end and answers at once; its status follows within 2 s. Cancelling a cancelled one again is no error."
  )
)

const retry = HttpApiEndpoint.post("retry", "/executions/:execution_id/retry", {
  params,
  payload: [...Requests.RetryBody, Requests.NoBody],
  success: Views.Accepted,
  error: [
    executionNotFound,
    Problems.notRetryable,
    Problems.languageUnsupported,
    Problems.limitTooHigh,
    Problems.queueFull,
    Problems.storedOutputExhausted
  ]
}).annotateMerge(
  operation(
    "executions:run",
    "Run the same script again",
    "Makes a new execution with the script, arguments, environment, limits, `wait_for_background`, priority, `retry` and `concurrency_key` " +
      "of one that has ended. It waits for its turn, whatever the first one's `concurrency_policy` was; `run_at` and `queue_ttl_seconds` are not taken over."
  )
)

const remove = HttpApiEndpoint.delete("remove", "/executions/:execution_id", {
  params,
  success: Views.Deletion,
  error: [executionNotFound, Problems.stillActive]
}).annotateMerge(
  operation(
    "executions:delete",
    "Delete an execution",
    "Removes an execution that has ended, with its output and result: users their own, administrators everybody's. For an " +
      "administrator an active one is cancelled first and given 10 s to end. Its events stay."
  )
)

const events = HttpApiEndpoint.get("events", "/executions/:execution_id/events", {
  params,
  query: Requests.eventsQuery,
  success: Schema.Array(WireEvent),
  error: executionNotFound
}).annotateMerge(
  operation(
    "events:read",
    "List the events of an execution",
    "Oldest first. `event_types` takes names separated by commas, or may be repeated."
  )
)

const logs = HttpApiEndpoint.get("logs", "/executions/:execution_id/logs", {
  params,
  query: Requests.logsQuery,
  headers: { range: Schema.optional(Schema.String), accept: Schema.optional(Schema.String) },
  success: HttpApiSchema.WithHeaders(
    HttpApiSchema.StreamUint8Array({ contentType: ["application/octet-stream", "text/plain"] }),
    Requests.logHeaders
  ),
  error: [executionNotFound, Problems.attemptNotFound, Problems.offsetBeyondEnd, Problems.tooManyStreams]
})
  .annotate(RequiredPermission, "executions:read")
  .annotate(HttpStatuses, { "206": "The bytes that `Range` named." })
  .annotate(OpenApi.Summary, "Read what an execution wrote")
  .annotate(
    OpenApi.Description,
    "The exact bytes of one output stream of one attempt, the latest that began unless `attempt` names another, the same while it " +
      "runs and afterwards: go on at " +
      "`X-Output-Next-Offset` until `X-Output-Ended` is true and nothing comes. `Range: bytes=…` is understood and answered " +
      "with 206. With `follow=true` the answer goes on until the attempt ends; resume a broken one at `offset` plus the bytes " +
      "received. Unless `X-Output-Last-Attempt` is true another attempt may follow `X-Output-Attempt`. The type is `text/plain; charset=utf-8` when `Accept` names `text/plain`, else `application/octet-stream`."
  )

const transcript = HttpApiEndpoint.get("transcript", "/executions/:execution_id/transcript", {
  params,
  query: Requests.transcriptQuery,
  success: Views.Transcript,
  error: [executionNotFound, Problems.attemptNotFound]
}).annotateMerge(
  operation(
    "executions:read",
    "Read both streams in the order of writing, with times",
    "What one attempt wrote to stdout and stderr, merged, the latest that began unless `attempt` names another; while it runs what there is " +
      "by now. Go on at `next_cursor` until `ended`. Output is timed when the runtime sees it: pieces of different streams that were written within about a " +
      "millisecond may stand in the other order."
  )
)

const stream = HttpApiEndpoint.get("stream", "/executions/:execution_id/stream", {
  params,
  query: { last_event_id: Schema.optional(Schema.String.check(Schema.isMaxLength(100))) },
  headers: { "last-event-id": Schema.optional(Schema.String.check(Schema.isMaxLength(100))) },
  success: [HttpApiSchema.StreamSse({ data: ExecutionFrame }), HttpApiSchema.NoContent],
  error: [executionNotFound, Problems.tooManyStreams]
}).annotateMerge(
  operation(
    "executions:read",
    "Follow an execution live",
    "Server-sent events, unnamed, told apart by `event_type`: `connected`, `subscribed`, `status`, then the execution's events " +
      "and its `output` as they come, at last `result_stored` with the result; then the stream closes. After a break send the " +
      "last `id` as `Last-Event-ID` (browsers do) or `last_event_id`: nothing is missed and nothing comes twice. The id of the " +
      "last message is answered with 204, which ends the reconnects of browsers. A `heartbeat` comes every 15 s. At most 5 " +
      "streams per user and instance."
  )
)

const limits = HttpApiEndpoint.get("limits", "/k8s-limits", {
  success: HttpApiSchema.WithHeaders(Views.ResourceLimits, { "cache-control": Schema.Literal("public, max-age=300") })
}).annotateMerge(
  operation(
    "public",
    "Limits and languages",
    "What an execution gets when it asks for nothing else, and the languages with their versions."
  )
)

const examples = HttpApiEndpoint.get("examples", "/example-scripts", {
  success: HttpApiSchema.WithHeaders(Views.ExampleScripts, { "cache-control": Schema.Literal("public, max-age=600") })
}).annotateMerge(operation("public", "Example scripts", "One script for each language that this instance runs."))

export class ExecutionsApi extends areaWithPublic(
  "executions",
  "Scripts that run, or ran: submit, follow, cancel, repeat",
  [submit, list, listOwn, get, update, attempts, result, cancel, retry, remove, events, logs, transcript, stream],
  [limits, examples]
) {}
