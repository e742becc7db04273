/**
 * `Journal` in one statement a write: what decides whether it may be is done first, and everything else is written from that row or not
 * at all. Writes of several sagas that come at the same time share a statement and its commit.
 */

import { streamOf } from "@fairlead/core/ids/Subject"
import { Journal, type JournalWrite } from "@fairlead/core/sagas/Journal"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { Effect, Layer, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import * as GroupCommit from "./internal/groupCommit.ts"
import { type EncodedWrite, encodeWrite, writeAll } from "./internal/journalRows.ts"
import { storageError } from "./PostgresError.ts"

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
      maxSize: 16,
      maxSteps: 1
    })
    const joined = Effect.serviceOption(sql.transactionService)

    return Journal.of({
      append: Effect.fnUntraced(function* (write: JournalWrite) {
        const encoded = yield* encodeWrite(write)
        const written = yield* Option.isSome(yield* joined) ? alone(encoded) : gathered(encoded)
        if (written && write.events.length > 0) yield* wakeups.send(`stream/${streamOf(write.saga.subject)}`)
        return written
      }, storageError("Journal.append"))
    })
  })
)
