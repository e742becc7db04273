/** Rows of the queue, and the models that they are. */

import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { SagaId } from "@fairlead/core/ids/SagaId"
import { UserId } from "@fairlead/core/ids/UserId"
import { QueueEntry, QueueState } from "@fairlead/core/queue/QueueEntry"
import { PauseScope } from "@fairlead/core/queue/QueueLoad"
import { RuntimeKind } from "@fairlead/core/runtime/Job"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"

const Time = Schema.DateTimeUtcFromDate
const Row = Schema.Struct({
  executionId: ExecutionId,
  sagaId: SagaId,
  ownerId: UserId,
  runtime: RuntimeKind,
  requirement: Schema.String,
  priority: Schema.Int,
  state: QueueState,
  rankAt: Time,
  queuedAt: Time,
  runAt: Schema.NullOr(Time),
  expiresAt: Time,
  concurrencyKey: Schema.NullOr(Schema.String),
  nodeId: Schema.NullOr(NodeId)
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))

/** The columns of an entry, under the names of its model. */
export const entryColumns = (sql: SqlClient.SqlClient) => sql`execution_id as "executionId", saga_id as "sagaId",
  owner_id as "ownerId", runtime, requirement, priority, state, rank_at as "rankAt", queued_at as "queuedAt", run_at as "runAt",
  expires_at as "expiresAt", concurrency_key as "concurrencyKey", node_id as "nodeId"`

export const decodeEntries = (rows: ReadonlyArray<unknown>) =>
  Effect.map(decodeRows(rows), (decoded) =>
    decoded.map(
      ({ concurrencyKey, nodeId, runAt, ...entry }) =>
        new QueueEntry({
          ...entry,
          ...(runAt === null ? {} : { runAt }),
          ...(concurrencyKey === null ? {} : { concurrencyKey }),
          ...(nodeId === null ? {} : { nodeId })
        })
    )
  )

export const decodeLoad = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      ownerId: UserId,
      runtime: RuntimeKind,
      waiting: Schema.Int,
      delayed: Schema.Int,
      blocked: Schema.Int,
      assigned: Schema.Int
    })
  )
)
export const decodeNodes = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ nodeId: NodeId, assigned: Schema.Int }))
)
export const decodePauses = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      scope: PauseScope,
      at: Time,
      by: Schema.String,
      reason: Schema.String
    })
  )
)
