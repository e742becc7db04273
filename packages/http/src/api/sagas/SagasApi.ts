/** Contract of `/sagas`: the durable processes behind executions. */

import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { SagaId } from "@fairlead/core/ids/SagaId"
import { UserId } from "@fairlead/core/ids/UserId"
import { SagaState } from "@fairlead/core/sagas/Saga"
import { Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { area, operation } from "../Area.ts"
import {
  executionNotFound,
  languageUnsupported,
  limitTooHigh,
  notRetryable,
  queueFull,
  storedOutputExhausted
} from "../executions/ExecutionProblems.ts"
import { pageQuery } from "../Paging.ts"
import { text } from "../Text.ts"
import { Time } from "../Time.ts"
import * as Problems from "./SagaProblems.ts"
import * as Views from "./SagaViews.ts"

const params = { saga_id: SagaId }
const query = Schema.Struct({ state: Schema.optional(SagaState), ...pageQuery(1000) })
const age = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 31_536_000 }))
const search = Schema.Struct({
  ...query.fields,
  name: Schema.optional(text(1, 256)),
  execution_id: Schema.optional(ExecutionId),
  owner_id: Schema.optional(UserId),
  node_id: Schema.optional(text(1, 256)),
  created_from: Schema.optional(Time),
  created_to: Schema.optional(Time),
  older_than_seconds: Schema.optional(age)
})
export type SagasSearch = typeof search.Type

const restartErrors = [
  Problems.sagaNotFound,
  Problems.notRestartable,
  executionNotFound,
  notRetryable,
  languageUnsupported,
  limitTooHigh,
  queueFull,
  storedOutputExhausted
]
const retry = HttpApiEndpoint.post("retry", "/sagas/:saga_id/retry", {
  params,
  success: Views.SagaRestart,
  error: restartErrors
}).annotateMerge(
  operation(
    "executions:run",
    "Retry a saga from where it failed",
    "Makes a new execution of the same script, whose saga takes over what the steps before the failed one left. Where that cannot " +
      "be taken over, it begins at the last step before from which that is possible; `from_step` tells. For a saga that did not complete."
  )
)
const restart = HttpApiEndpoint.post("restart", "/sagas/:saga_id/restart", {
  params,
  payload: Views.RestartRequest,
  success: Views.SagaRestart,
  error: restartErrors
}).annotateMerge(
  operation(
    "executions:run",
    "Restart a saga from a step",
    "Makes a new execution of the same script, whose saga takes over what the steps before `from_step` left. Refused with the steps " +
      "from which it is possible, if that cannot all be taken over. For a saga that has ended."
  )
)

const forceFail = HttpApiEndpoint.post("forceFail", "/sagas/:saga_id/force-fail", {
  params,
  payload: Views.ForceFailRequest,
  success: Views.SagaStatus,
  error: [Problems.sagaNotFound, Problems.alreadyEnded]
}).annotateMerge(
  operation(
    "sagas:admin",
    "End a saga by force",
    "For a saga that cannot end by itself. Takes it from its executor and ends it as `failed`, its execution as `error` with the cause " +
      "`force_failed`. Nothing is undone; a script that still runs is stopped within about a minute. Cancel is the gentle way."
  )
)

const stuckQuery = Schema.Struct({
  older_than_seconds: Schema.optional(age),
  limit: Schema.optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))),
  after: Schema.optional(SagaId)
})
const stuck = HttpApiEndpoint.get("stuck", "/sagas/stuck", {
  query: stuckQuery,
  success: Views.StuckSagas
}).annotateMerge(
  operation(
    "sagas:read",
    "List stalled sagas",
    "Sagas that have not ended and made no progress for `older_than_seconds`, 300 unless the request says otherwise, each with the " +
      "reason; without those that wait in the queue and those on which a living instance works, such as long scripts. `limit` (200) is the " +
      "number of sagas looked at, so a page may be empty and yet have a `next`."
  )
)

export class SagasApi extends area("sagas", "Durable processes: list, look up, read their history, cancel, restart", [
  HttpApiEndpoint.get("list", "/sagas", { query: search, success: Views.SagaList }).annotateMerge(
    operation(
      "sagas:read",
      "List sagas",
      "Sagas that the caller may see, newest first, 100 unless `limit` says otherwise. `created_from` is included, `created_to` is " +
        "not. `older_than_seconds` finds those that have not ended and made no progress for so long."
    )
  ),
  HttpApiEndpoint.get("get", "/sagas/:saga_id", {
    params,
    success: Views.SagaStatus,
    error: Problems.sagaNotFound
  }).annotateMerge(
    operation(
      "sagas:read",
      "Get a saga",
      "Where the saga stands: the step it is at, those it has done, those it has undone."
    )
  ),
  HttpApiEndpoint.get("listOfExecution", "/sagas/execution/:execution_id", {
    params: { execution_id: ExecutionId },
    query,
    success: Views.SagaList
  }).annotateMerge(
    operation(
      "sagas:read",
      "List the sagas of an execution",
      "Newest first; empty for an execution that is unknown or belongs to somebody else."
    )
  ),
  HttpApiEndpoint.get("history", "/sagas/:saga_id/history", {
    params,
    success: Views.SagaHistory,
    error: Problems.sagaNotFound
  }).annotateMerge(
    operation(
      "sagas:read",
      "Get the history of a saga",
      "Every attempt of every step and of its undoing, in the order in which they began: times, outcome, failure, when the next " +
        "attempt was due, and which instance executed it under which fence. Outputs show only what is no secret."
    )
  ),
  HttpApiEndpoint.post("cancel", "/sagas/:saga_id/cancel", {
    params,
    success: Views.SagaCancellation,
    error: [Problems.sagaNotFound, Problems.notCancellable]
  }).annotateMerge(
    operation(
      "sagas:write",
      "Cancel a saga",
      "Asks the saga to stop and to undo its finished steps, last first; acts within 2 s. Only a saga that is created or running " +
        "can be cancelled."
    )
  ),
  stuck,
  retry,
  restart,
  forceFail
]) {}
