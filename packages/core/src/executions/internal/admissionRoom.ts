/** Whether there is room for one more execution of the caller, in the queue and for its output. */
import { Effect } from "effect"
import type { Principal } from "../../auth/Principal.ts"
import { refusalOf } from "../../queue/QueueBounds.ts"
import { QueueEstimates } from "../../queue/QueueEstimates.ts"
import { countsOf } from "../../queue/QueueLoad.ts"
import { QueueStats } from "../../queue/QueueStats.ts"
import { AdmissionPolicy } from "../AdmissionPolicy.ts"
import { QueueFull } from "../ExecutionError.ts"
import { quotaRefusalOf } from "../OutputQuota.ts"

export const makeAdmissionRoom = Effect.gen(function* () {
  const { bounds, maxStoredOutputBytesPerUser } = yield* AdmissionPolicy
  const [stats, estimates] = [yield* QueueStats, yield* QueueEstimates]

  /** Exact only when it may come near a bound with what other instances let in within a second. */
  const ownCounts = Effect.fnUntraced(function* ({ userId }: Principal) {
    const counts = yield* stats.counts(userId)
    const isFar = counts.active < bounds.maxActivePerUser / 2 && counts.planned < bounds.maxPlannedPerUser / 2
    return isFar ? counts : yield* stats.exactCounts(userId)
  })

  return {
    /** Fails if there is no room. `storedBytes` of output are kept for the caller. */
    check: Effect.fnUntraced(function* (caller: Principal, isPlanned: boolean, storedBytes: number) {
      const exhausted = quotaRefusalOf(storedBytes, maxStoredOutputBytesPerUser)
      if (exhausted !== undefined) return yield* exhausted
      const everybody = countsOf(yield* stats.load)
      const own = yield* ownCounts(caller)
      const refusal = refusalOf({ everybody, own, isPlanned, isAdmin: caller.role === "admin" }, bounds)
      if (refusal === undefined) return
      const retryAfterSeconds = yield* estimates.retrySeconds(refusal.scope === "host" ? undefined : caller.userId)
      return yield* new QueueFull({ ...refusal, retryAfterSeconds })
    }),
    /** Counts one that was accepted. */
    taken: ({ userId }: Principal, isPlanned: boolean) => stats.entered(userId, isPlanned ? "planned" : "active")
  }
})
