/** How much output is kept for each user, from memory where possible: to add it up takes time with the number of their executions. */
import { Cache, Context, Effect, Exit, Layer } from "effect"
import type { UserId } from "../ids/UserId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { AdmissionPolicy } from "./AdmissionPolicy.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import { quotaRefusalOf } from "./OutputQuota.ts"

/** Users whose sums are in memory; of more the one asked for longest ago makes room. */
const maxUsers = 10_000
/** How old a sum may be. */
const sumMillis = 30_000
/** The same of a user who is refused: other instances and the retention delete too. */
const refusedMillis = 1_000

export class StoredOutput extends Context.Service<
  StoredOutput,
  {
    /** Bytes, as `ExecutionStore.storedOutputBytes`; up to 30 s old, while the user is refused for them 1 s. 0 without a quota. */
    bytesOf(ownerId: UserId): Effect.Effect<number, StorageError>
    /** What was deleted on this instance counts no more. Call it after the commit. */
    deleted(ownerId: UserId): Effect.Effect<void>
  }
>()("@fairlead/core/executions/StoredOutput") {
  static readonly layer = Layer.effect(
    StoredOutput,
    Effect.gen(function* () {
      const [{ maxStoredOutputBytesPerUser: maximum }, executions] = [yield* AdmissionPolicy, yield* ExecutionStore]
      const ageOf = (sum: Exit.Exit<number, StorageError>) => {
        if (Exit.isFailure(sum)) return 0
        return quotaRefusalOf(sum.value, maximum) === undefined ? sumMillis : refusedMillis
      }
      const sums = yield* Cache.makeWith(executions.storedOutputBytes, { capacity: maxUsers, timeToLive: ageOf })
      return StoredOutput.of({
        bytesOf: (ownerId) => (maximum === 0 ? Effect.succeed(0) : Cache.get(sums, ownerId)),
        deleted: (ownerId) => Cache.invalidate(sums, ownerId)
      })
    })
  )
}
