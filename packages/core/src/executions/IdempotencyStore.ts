/** Port: the keys by which clients repeat a request without repeating its effect. One user's keys are unknown to others. */

import { Context, DateTime, Effect, Layer } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { IdempotencyClaim } from "./IdempotencyClaim.ts"
import { idempotencyRows } from "./memoryTables.ts"

/** Hours for which a key is remembered. */
export const idempotencyHours = 24

export type IdempotencyAnswer =
  | { readonly _tag: "New" }
  /** `sameRequest` is false when the key was used for a request with another hash. */
  | { readonly _tag: "Known"; readonly executionId: ExecutionId; readonly sameRequest: boolean }

export class IdempotencyStore extends Context.Service<
  IdempotencyStore,
  {
    /**
     * Takes the key for `executionId`, or tells what took it in the last 24 hours. Call it inside the transaction that makes the
     * execution: a rival with the same key waits for that transaction and then sees its result, never a half-made one.
     */
    claim(claim: IdempotencyClaim): Effect.Effect<IdempotencyAnswer, StorageError>
    /** Forgets keys older than 24 hours; returns how many. At most 10,000 at a time. */
    expire(now: DateTime.Utc): Effect.Effect<number, StorageError>
  }
>()("@fairlead/core/executions/IdempotencyStore") {
  static readonly layerMemory = Layer.effect(
    IdempotencyStore,
    Effect.map(MemoryDatabase, (database) => {
      const keys = idempotencyRows(database)
      return IdempotencyStore.of({
        claim: (claim) =>
          keys.modify((rows): readonly [IdempotencyAnswer, typeof rows] => {
            const name = `${claim.ownerId} ${claim.key}`
            const known = rows.get(name)
            if (known !== undefined && isFresh(known, claim.at))
              return [
                {
                  _tag: "Known",
                  executionId: known.executionId,
                  sameRequest: known.requestHash === claim.requestHash
                },
                rows
              ]
            return [{ _tag: "New" }, new Map(rows).set(name, claim)]
          }),
        expire: (now) =>
          keys.modify((rows) => {
            const fresh = new Map([...rows].filter(([, claim]) => isFresh(claim, now)))
            return [rows.size - fresh.size, fresh]
          })
      })
    })
  )
}

const isFresh = (claim: IdempotencyClaim, now: DateTime.Utc) =>
  DateTime.isGreaterThan(DateTime.add(claim.at, { hours: idempotencyHours }), now)
