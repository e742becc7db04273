/** `IdempotencyStore` over `idempotency_keys`. The key's row is the lock on which rivals wait. */

import { IdempotencyStore, idempotencyHours } from "@fairlead/core/executions/IdempotencyStore"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { storageError } from "./PostgresError.ts"

const decode = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Struct({ execution_id: ExecutionId, request_hash: Schema.String, first: Schema.Boolean })])
)

export const layer = Layer.effect(
  IdempotencyStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return IdempotencyStore.of({
      claim: Effect.fnUntraced(function* ({ at, executionId, key, ownerId, requestHash }) {
        const now = DateTime.formatIso(at)
        const bound = DateTime.formatIso(DateTime.subtract(at, { hours: idempotencyHours }))
        const fresh = sql`known.at > ${bound}`
        // Counts the uses of the key: the first took it. An expired one is taken as if it had not been there.
        const [row] = yield* decode(
          yield* sql`insert into idempotency_keys as known (owner_id, key, request_hash, execution_id, at)
            values (${ownerId}, ${key}, ${requestHash}, ${executionId}, ${now})
            on conflict (owner_id, key) do update set
              request_hash = case when ${fresh} then known.request_hash else excluded.request_hash end,
              execution_id = case when ${fresh} then known.execution_id else excluded.execution_id end,
              at = case when ${fresh} then known.at else excluded.at end,
              claims = case when ${fresh} then known.claims + 1 else 1 end
            returning execution_id, request_hash, claims = 1 as first`
        )
        if (row.first) return { _tag: "New" as const }
        return { _tag: "Known" as const, executionId: row.execution_id, sameRequest: row.request_hash === requestHash }
      }, storageError("IdempotencyStore.claim")),

      expire: Effect.fnUntraced(function* (now) {
        const bound = DateTime.formatIso(DateTime.subtract(now, { hours: idempotencyHours }))
        const gone = yield* sql`delete from idempotency_keys where (owner_id, key) in (
          select owner_id, key from idempotency_keys where at <= ${bound} limit 10000 for update skip locked) returning 1`
        return gone.length
      }, storageError("IdempotencyStore.expire"))
    })
  })
)
