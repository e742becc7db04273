import { assert, describe, it } from "@effect/vitest"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { InstanceId } from "@fairlead/core/ids/InstanceId"
import { executionSubject } from "@fairlead/core/ids/Subject"
import { InstanceStore } from "@fairlead/core/instances/InstanceStore"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import * as Stores from "@fairlead/core/Stores"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { migrations } from "@fairlead/postgres/migrations/Migrations"
import * as PostgresExecutionStore from "@fairlead/postgres/PostgresExecutionStore"
import * as PostgresInstanceStore from "@fairlead/postgres/PostgresInstanceStore"
import * as PostgresQueueStore from "@fairlead/postgres/PostgresQueueStore"
import * as PostgresSagaStore from "@fairlead/postgres/PostgresSagaStore"
import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { executionId, sagaId, userId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer, Option } from "effect"
import { Migrator, SqlClient } from "effect/sql"

const time = "2026-01-01T00:00:00.000Z"
const outcome = { stdoutBytes: 0, stderrBytes: 0, truncated: false }
/** Rows as the version before wrote them. */
const execution = (earlier: object) => ({
  ...JSON.parse(JSON.stringify(queuedExecution(1))),
  status: "running",
  attempt: 2,
  startedAt: time,
  place: "process/a",
  ...earlier
})
const saga = {
  sagaId: sagaId(1),
  sagaName: "execution_saga",
  definitionVersion: 1,
  executionId: executionId(1),
  ownerId: userId(1),
  correlationId: "c",
  state: "running",
  completedSteps: [],
  compensatedSteps: [],
  retryCount: 0,
  logLength: 1,
  dispatch: 1,
  fence: 1,
  lane: "process/a",
  driver: "host-1",
  createdAt: time,
  updatedAt: time
}
const host = {
  hostId: sagaId(9),
  name: "host-1",
  version: "1",
  startedAt: time,
  leaving: false,
  places: [{ place: "process/a", runtime: "process", capacity: 4 }]
}

const stores = Layer.mergeAll(
  PostgresExecutionStore.layer,
  PostgresInstanceStore.layer,
  PostgresQueueStore.layer,
  PostgresSagaStore.layer
).pipe(Layer.provide(Stores.layerMemory))

describe("the migrations 0011_saga_subject and 0012_words", () => {
  it.live("keep what the version before has stored", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const migrateBelow = (number: string) => {
        const wanted = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < number))
        return Migrator.make({})({ table: "fairlead_migrations", loader: Migrator.fromRecord(wanted) })
      }
      yield* migrateBelow("0011")
      const earlierAttempts = [
        { attempt: 1, status: "failed", place: "process/b", finishedAt: time, outcome },
        { attempt: 0, status: "failed", finishedAt: time, outcome }
      ]
      yield* sql`insert into executions (execution_id, owner_id, status, lang, created_at, execution)
        values (${executionId(1)}, ${userId(1)}, 'running', 'python', now(), ${JSON.stringify(execution({ earlierAttempts }))}::text::jsonb)`
      yield* sql`insert into sagas (saga_id, execution_id, owner_id, state, dispatch, fence, lane, parked, saga)
        values (${sagaId(1)}, ${executionId(1)}, ${userId(1)}, 'running', 1, 1, 'process/a', false, ${JSON.stringify(saga)}::text::jsonb)`
      yield* sql`insert into saga_log (saga_id, seq, fence, at, entry, driver) values (${sagaId(1)}, 1, 1, now(),
        ${JSON.stringify({ _tag: "SagaStarted", name: "execution_saga", definitionVersion: 1 })}::text::jsonb, 'host-1')`
      yield* sql`insert into queue_entries (execution_id, saga_id, owner_id, runtime, demand, priority, state, rank_at, queued_at, expires_at, place)
        values (${executionId(1)}, ${sagaId(1)}, ${userId(1)}, 'process', 'process/python/3', 5, 'admitted', now(), now(), now(), 'process/a')`
      yield* sql`insert into hosts (host_id, seen_at, host) values (${sagaId(9)}, now(), ${JSON.stringify(host)}::text::jsonb)`
      yield* migrateBelow("0013")

      const nodeId = NodeId.make("process/a")
      yield* Effect.gen(function* () {
        const found = Option.getOrThrow(yield* (yield* ExecutionStore).find(executionId(1)))
        assert.strictEqual(found.nodeId, nodeId)
        assert.deepStrictEqual(
          found.earlierAttempts?.map((attempt) => attempt.nodeId),
          [NodeId.make("process/b"), undefined]
        )
        const sagas = yield* SagaStore
        assert.deepInclude(Option.getOrThrow(yield* sagas.find(sagaId(1))), {
          subject: executionSubject(executionId(1)),
          nodeId,
          executor: "host-1"
        })
        assert.deepInclude((yield* sagas.log(sagaId(1)))[0], { executor: "host-1" })
        const entry = Option.getOrThrow(yield* (yield* QueueStore).find(executionId(1)))
        assert.deepInclude(entry, { state: "assigned", nodeId, requirement: "process/python/3" })
        const [seen] = yield* (yield* InstanceStore).list
        assert.deepInclude(seen?.instance, {
          instanceId: InstanceId.make(sagaId(9)),
          draining: false,
          nodes: [{ nodeId, runtime: "process", capacity: 4 }]
        })
      }).pipe(Effect.provide(stores))
    }).pipe(Effect.provide(PgliteClient.layer({})))
  )
})
