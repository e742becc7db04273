/** Contract of `/sagas`: the durable processes behind executions. */
import { UserId } from "@fairlead/core/auth/users/UserId"
import { ExecutionId } from "@fairlead/core/executions/ExecutionId"
import { SagaState } from "@fairlead/core/sagas/Saga"
import { SagaNotCancellable, SagaNotFound } from "@fairlead/core/sagas/SagaError"
import { SagaId } from "@fairlead/core/sagas/SagaId"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authentication, Authorization, Needs } from "./Access.ts"
import { pageFields, pageQuery } from "./Paging.ts"
import { problem } from "./Problem.ts"
import { Rejections } from "./Rejections.ts"
import { wire } from "./Wire.ts"

const Steps = Schema.Array(Schema.String)
const View = Schema.Struct({
  sagaId: SagaId,
  sagaName: Schema.String,
  executionId: ExecutionId,
  state: SagaState,
  currentStep: Schema.NullOr(Schema.String),
  completedSteps: Steps,
  compensatedSteps: Steps,
  errorMessage: Schema.NullOr(Schema.String),
  createdAt: Schema.DateTimeUtcFromString,
  updatedAt: Schema.DateTimeUtcFromString,
  completedAt: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** Failed attempts of steps so far. */
  retryCount: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  /** Where only hosts that serve that place can drive it; `null` while it waits in line, or when any host can. */
  place: Schema.NullOr(Schema.String),
  /** The host that drives it, or drove it last. */
  driver: Schema.NullOr(Schema.String),
  /** When it got on last. */
  lastProgressAt: Schema.DateTimeUtcFromString
})
export type SagaView = typeof View.Type
const SagaStatus = wire("SagaStatusResponse", View)
const SagaList = wire("SagaListResponse", Schema.Struct({ sagas: Schema.Array(View), ...pageFields }))
const SagaCancellation = wire(
  "SagaCancellationResponse",
  Schema.Struct({ success: Schema.Boolean, message: Schema.String, sagaId: SagaId })
)

const sagaNotFound = problem(SagaNotFound, {
  status: 404,
  title: "No such saga",
  detail: ({ sagaId }) => `There is no saga ${sagaId}.`
})
const notCancellable = problem(SagaNotCancellable, {
  status: 400,
  title: "Saga cannot be cancelled",
  detail: ({ sagaState }) => `Cannot cancel saga in ${sagaState} state`
})

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
    HttpApiEndpoint.get("list", "/sagas", { query: search, success: SagaList })
      .annotate(Needs, "sagas:read")
      .annotate(OpenApi.Summary, "List sagas")
      .annotate(
        OpenApi.Description,
        "Sagas that the caller may see, newest first, 100 unless `limit` says otherwise. `created_from` is included, `created_to` is " +
          "not. `older_than_seconds` finds those that have not ended and have not got on for so long."
      ),
    HttpApiEndpoint.get("get", "/sagas/:saga_id", { params, success: SagaStatus, error: sagaNotFound })
      .annotate(Needs, "sagas:read")
      .annotate(OpenApi.Summary, "Get a saga")
      .annotate(
        OpenApi.Description,
        "Where the saga stands: the step it is at, those it has done, those it has undone."
      ),
    HttpApiEndpoint.get("listOfExecution", "/sagas/execution/:execution_id", {
      params: { execution_id: ExecutionId },
      query,
      success: SagaList
    })
      .annotate(Needs, "sagas:read")
      .annotate(OpenApi.Summary, "List the sagas of an execution")
      .annotate(
        OpenApi.Description,
        "Newest first; empty for an execution that is unknown or belongs to somebody else."
      ),
    HttpApiEndpoint.post("cancel", "/sagas/:saga_id/cancel", {
      params,
      success: SagaCancellation,
      error: [sagaNotFound, notCancellable]
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
  .annotate(OpenApi.Description, "Durable processes: list, look up, cancel") {}
