/**
 * `Journal` in one statement a write: the saga's row is updated under its fence, and everything else is written from that row or not
 * at all. Writes of several sagas that come at the same time share a statement and its commit.
 */
import { Wakeups } from "@fairlead/core/bus/Wakeups"
import { Journal, type JournalWrite, streamOf } from "@fairlead/core/storage/Journal"
import { Effect, Layer, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
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
      maxSteps: 2
    })
    const joined = Effect.serviceOption(sql.transactionService)

    return Journal.of({
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
