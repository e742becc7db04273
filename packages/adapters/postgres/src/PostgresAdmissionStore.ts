/** `AdmissionStore` in one statement a write. Executions that start at the same time share a statement and its commit. */
import { AdmissionStore } from "@fairlead/core/executions/AdmissionStore"
import { streamOf } from "@fairlead/core/ids/Subject"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { Effect, Layer, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { beginAll, type EncodedBeginning, encodeBeginning } from "./internal/beginningRows.ts"
import { encodeEvents, insertEvents } from "./internal/eventRows.ts"
import * as GroupCommit from "./internal/groupCommit.ts"
import { storageError } from "./PostgresError.ts"
import { insertExecution } from "./PostgresExecutionStore.ts"
import { insertSaga } from "./PostgresSagaStore.ts"

export const layer = Layer.effect(
  AdmissionStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const wakeups = yield* Wakeups
    const joined = Effect.serviceOption(sql.transactionService)

    /** Whether each could begin. */
    const beginTogether = Effect.fnUntraced(function* (beginnings: ReadonlyArray<EncodedBeginning>) {
      const rows = yield* sql<{ readonly execution_id: string }>`with ${beginAll(sql, beginnings)}
        select execution_id from queued`
      const lined = new Set(rows.map(({ execution_id }) => execution_id))
      return beginnings.map(({ execution }) => lined.has(execution.executionId))
    })
    const beginAlone = (beginning: EncodedBeginning) =>
      Effect.map(beginTogether([beginning]), ([begun]) => begun === true)
    const begun = GroupCommit.makeShared<EncodedBeginning, boolean, SqlError.SqlError>({
      together: beginTogether,
      alone: beginAlone,
      nameOf: ({ execution }) => execution.executionId,
      maxSize: 16,
      maxSteps: 1
    })

    return AdmissionStore.of({
      createStarted: Effect.fnUntraced(function* (beginning) {
        const encoded = yield* encodeBeginning(beginning)
        const began = yield* Option.isSome(yield* joined) ? beginAlone(encoded) : begun(encoded)
        if (began) yield* wakeups.send(`stream/${streamOf(beginning.saga.subject)}`)
        return began
      }, storageError("AdmissionStore.createStarted")),

      createQueued: Effect.fnUntraced(function* ({ events, execution, saga }) {
        const published = insertEvents(sql, {
          stream: streamOf(saga.subject),
          count: events.length,
          json: yield* encodeEvents(events),
          source: sql``,
          expected: sql`true`
        })
        yield* sql`with accepted as (${yield* insertExecution(sql, execution)}),
          begun as (${yield* insertSaga(sql, saga)}), ${published} select version from heads`
        yield* wakeups.send(`stream/${streamOf(saga.subject)}`)
      }, storageError("AdmissionStore.createQueued"))
    })
  })
)
