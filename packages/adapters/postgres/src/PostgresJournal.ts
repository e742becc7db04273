/**
 * `Journal` in one statement a write: what decides whether it may be is done first, and everything else is written from that row or not
 * at all. Writes of several sagas that come at the same time share a statement and its commit.
 */
import { Wakeups } from "@fairlead/core/bus/Wakeups"
import { Journal, type JournalWrite, streamOf } from "@fairlead/core/storage/Journal"
import { Effect, Layer, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { beginAll, type EncodedBeginning, encodeBeginning } from "./internal/beginningRows.ts"
import { encodeEvents, insertEvents } from "./internal/eventRows.ts"
import * as GroupCommit from "./internal/groupCommit.ts"
import { type EncodedWrite, encodeWrite, writeAll } from "./internal/journalRows.ts"
import { storageError } from "./PostgresError.ts"
import { insertExecution } from "./PostgresExecutionStore.ts"
import { insertSaga } from "./PostgresSagaStore.ts"

export const layer = Layer.effect(
  Journal,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const wakeups = yield* Wakeups

    /** Whether each was written. */
    const together = Effect.fnUntraced(function* (writes: ReadonlyArray<EncodedWrite>) {
      const rows = yield* sql<{ readonly saga_id: string }>`with ${writeAll(sql, writes)} select saga_id from moved`
      const moved = new Set(rows.map(({ saga_id }) => saga_id))
      return writes.map(({ sagaId }) => moved.has(sagaId))
    })
    const alone = (write: EncodedWrite) => Effect.map(together([write]), ([written]) => written === true)
    const gathered = GroupCommit.makeShared<EncodedWrite, boolean, SqlError.SqlError>({
      together,
      alone,
      // One statement changes a row once: of two sagas of one execution the second waits.
      nameOf: ({ stream }) => stream,
      maxSize: 100,
      maxSteps: 1
    })
    const joined = Effect.serviceOption(sql.transactionService)

    /** Whether each could begin. */
    const beginTogether = Effect.fnUntraced(function* (beginnings: ReadonlyArray<EncodedBeginning>) {
      const rows = yield* sql<{ readonly execution_id: string }>`with ${beginAll(sql, beginnings)}
        select execution_id from lined`
      const lined = new Set(rows.map(({ execution_id }) => execution_id))
      return beginnings.map(({ execution }) => lined.has(execution.executionId))
    })
    const beginAlone = (beginning: EncodedBeginning) =>
      Effect.map(beginTogether([beginning]), ([begun]) => begun === true)
    const begun = GroupCommit.makeShared<EncodedBeginning, boolean, SqlError.SqlError>({
      together: beginTogether,
      alone: beginAlone,
      nameOf: ({ execution }) => execution.executionId,
      maxSize: 100,
      maxSteps: 1
    })

    return Journal.of({
      begin: Effect.fnUntraced(function* (beginning) {
        const encoded = yield* encodeBeginning(beginning)
        const began = yield* Option.isSome(yield* joined) ? beginAlone(encoded) : begun(encoded)
        if (began) yield* wakeups.send(`stream/${streamOf(beginning.saga)}`)
        return began
      }, storageError("Journal.begin")),

      open: Effect.fnUntraced(function* ({ events, execution, saga }) {
        const published = insertEvents(sql, {
          stream: streamOf(saga),
          count: events.length,
          json: yield* encodeEvents(events),
          source: sql``,
          expected: sql`true`
        })
        yield* sql`with accepted as (${yield* insertExecution(sql, execution)}),
          begun as (${yield* insertSaga(sql, saga)}), ${published} select version from heads`
        yield* wakeups.send(`stream/${streamOf(saga)}`)
      }, storageError("Journal.open")),

      append: Effect.fnUntraced(function* (write: JournalWrite) {
        const encoded = yield* encodeWrite(write)
        const written = yield* Option.isSome(yield* joined) ? alone(encoded) : gathered(encoded)
        if (written && write.events.length > 0) yield* wakeups.send(`stream/${streamOf(write.saga)}`)
        return written
      }, storageError("Journal.append"))
    })
  })
)
