/** Contract of `/sagas`: the durable processes behind executions. */
import { UserId } from "@fairlead/core/auth/users/UserId"
import { ExecutionId } from "@fairlead/core/executions/ExecutionId"
import { SagaState } from "@fairlead/core/sagas/Saga"
import { SagaId } from "@fairlead/core/sagas/SagaId"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authentication, Authorization, Needs } from "./Access.ts"
import { pageQuery } from "./Paging.ts"
import { Rejections } from "./Rejections.ts"
import * as Problems from "./SagaProblems.ts"
import * as Views from "./SagaViews.ts"

const params = { saga_id: SagaId }
const query = Schema.Struct({ state: Schema.optional(SagaState), ...pageQuery(1000) })
const search = Schema.Struct({
  ...query.fields,
  name: Schema.optional(Schema.NonEmptyString),
  execution_id: Schema.optional(ExecutionId),
  owner_id: Schema.optional(UserId),
  place: Schema.optional(Schema.NonEmptyString),
  created_from: Schema.optional(Schema.DateTimeUtcFromString),
  created_to: Schema.optional(Schema.DateTimeUtcFromString),
  older_than_seconds: Schema.optional(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 31_536_000 })))
})
export type SagasSearch = typeof search.Type

export class SagasApi extends HttpApiGroup.make("sagas")
  .add(
    HttpApiEndpoint.get("list", "/sagas", { query: search, success: Views.SagaList })
      .annotate(Needs, "sagas:read")
      .annotate(OpenApi.Summary, "List sagas")
      .annotate(
        OpenApi.Description,
        "Sagas that the caller may see, newest first, 100 unless `limit` says otherwise. `created_from` is included, `created_to` is " +
          "not. `older_than_seconds` finds those that have not ended and have not got on for so long."
      ),
    HttpApiEndpoint.get("get", "/sagas/:saga_id", { params, success: Views.SagaStatus, error: Problems.sagaNotFound })
      .annotate(Needs, "sagas:read")
      .annotate(OpenApi.Summary, "Get a saga")
      .annotate(
        OpenApi.Description,
        "Where the saga stands: the step it is at, those it has done, those it has undone."
      ),
    HttpApiEndpoint.get("listOfExecution", "/sagas/execution/:execution_id", {
      params: { execution_id: ExecutionId },
      query,
      success: Views.SagaList
    })
      .annotate(Needs, "sagas:read")
      .annotate(OpenApi.Summary, "List the sagas of an execution")
      .annotate(
        OpenApi.Description,
        "Newest first; empty for an execution that is unknown or belongs to somebody else."
      ),
    HttpApiEndpoint.get("history", "/sagas/:saga_id/history", {
      params,
      success: Views.SagaHistory,
      error: Problems.sagaNotFound
    })
      .annotate(Needs, "sagas:read")
      .annotate(OpenApi.Summary, "Get the history of a saga")
      .annotate(
        OpenApi.Description,
        "Every attempt of every step and of its undoing, in the order in which they began: times, outcome, failure, when the next " +
          "attempt was due, and which host drove it under which fence. Outputs show only what is no secret."
      ),
    HttpApiEndpoint.post("cancel", "/sagas/:saga_id/cancel", {
      params,
      success: Views.SagaCancellation,
      error: [Problems.sagaNotFound, Problems.notCancellable]
    })
      .annotate(Needs, "sagas:write")
      .annotate(OpenApi.Summary, "Cancel a saga")
      .annotate(
        OpenApi.Description,
        "Asks the saga to stop and to undo its finished steps, last first; acts within 2 s. Only a saga that is created or running " +
          "can be cancelled."
      )
  )
  .prefix("/api/v1")
  .middleware(Authorization)
  .middleware(Authentication)
  .middleware(Rejections)
  .annotate(OpenApi.Description, "Durable processes: list, look up, read their history, cancel") {}
