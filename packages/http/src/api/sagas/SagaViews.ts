/** How sagas look on the wire. */

import { ExecutionStatus } from "@fairlead/core/executions/ExecutionStatus"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { SagaId } from "@fairlead/core/ids/SagaId"
import { SagaState } from "@fairlead/core/sagas/Saga"
import { CompensationCause, SagaEnd, StepFailure } from "@fairlead/core/sagas/SagaEntry"
import { StuckReason } from "@fairlead/core/sagas/StuckSaga"
import { Schema } from "effect"
import { pageFields } from "../Paging.ts"
import { text } from "../Text.ts"
import { wire } from "../Wire.ts"

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
  /** Where only instances that serve that place can drive it; `null` while it waits in the queue, or when any instance can. */
  nodeId: Schema.NullOr(Schema.String),
  /** The instance that executes it, or executed it last. */
  executor: Schema.NullOr(Schema.String),
  /** When it last made progress. */
  lastProgressAt: Schema.DateTimeUtcFromString
})
export type SagaView = typeof View.Type
export const SagaStatus = wire("SagaStatusResponse", View)
export const SagaList = wire("SagaListResponse", Schema.Struct({ sagas: Schema.Array(View), ...pageFields }))
export const SagaCancellation = wire(
  "SagaCancellationResponse",
  Schema.Struct({ success: Schema.Boolean, message: Schema.String, sagaId: SagaId })
)

const time = Schema.DateTimeUtcFromString
const Run = Schema.Struct({
  step: Schema.String,
  direction: Schema.Literals(["run", "undo"]).annotate({ description: "`undo`: it takes back what the step did." }),
  attempt: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  result: Schema.Literals(["open", "completed", "failed", "reused"]).annotate({
    description:
      "`open`: it began, and what came of it is not known (yet). `reused`: the saga that this one restarts did it."
  }),
  begunAt: Schema.NullOr(time).annotate({ description: "Written down only for steps that act on the outside world." }),
  endedAt: Schema.NullOr(time),
  durationMs: Schema.NullOr(Schema.Int),
  output: Schema.Json.annotate({ description: "What may be shown of it; null if nothing may." }),
  failure: Schema.NullOr(StepFailure),
  retryAt: Schema.NullOr(time).annotate({ description: "When the next attempt is, or was, due." }),
  fence: Schema.Int,
  executor: Schema.NullOr(Schema.String).annotate({
    description: "The instance that wrote it down; null before the first."
  })
})
const History = Schema.Struct({
  sagaId: SagaId,
  sagaName: Schema.String,
  definitionVersion: Schema.Int,
  executionId: ExecutionId,
  state: SagaState,
  startedAt: Schema.NullOr(time),
  restartOf: Schema.NullOr(SagaId),
  fromStep: Schema.NullOr(Schema.String),
  runs: Schema.Array(Run),
  compensation: Schema.NullOr(Schema.Struct({ at: time, cause: CompensationCause, reason: Schema.String })),
  ended: Schema.NullOr(Schema.Struct({ at: time, end: SagaEnd, reason: Schema.NullOr(Schema.String) }))
})
export type SagaHistoryView = typeof History.Type
export const SagaHistory = wire("SagaHistoryResponse", History)

const Restart = Schema.Struct({
  executionId: ExecutionId.annotate({ description: "The new execution." }),
  status: ExecutionStatus,
  retryOf: ExecutionId,
  restartOf: SagaId,
  fromStep: Schema.String
})
export const SagaRestart = wire("SagaRestartResponse", Restart)
export const RestartRequest = wire(
  "SagaRestartRequest",
  Schema.Struct({
    fromStep: text(1, 100).annotate({ examples: ["allocate_resources"] })
  })
)
export const ForceFailRequest = wire(
  "SagaForceFailRequest",
  Schema.Struct({
    reason: text(1, 500).annotate({
      description: "Goes into the log, the execution and the audit event.",
      examples: ["its machine is gone for good"]
    })
  })
)

export const StuckSagas = wire(
  "StuckSagasResponse",
  Schema.Struct({
    sagas: Schema.Array(
      Schema.Struct({
        ...View.fields,
        definitionVersion: Schema.Int,
        reason: StuckReason,
        retryAt: Schema.NullOr(time).annotate({ description: "When the next attempt is due, where one is." }),
        claimsWithoutProgress: Schema.Int.annotate({
          description: "How often instances took it since it last made progress."
        })
      })
    ),
    next: Schema.NullOr(SagaId).annotate({ description: "Give it as `after` to go on; null at the end." })
  })
)
