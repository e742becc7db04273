/** What an instance lets in. An instance replaces it once, at start-up. */
import { Context } from "effect"
import { defaultQueueBounds, type QueueBounds } from "../queue/QueueBounds.ts"
import { defaultLimitPolicy, type ExecutionLimitPolicy } from "./ExecutionLimits.ts"
import { defaultMaxStoredOutputBytes } from "./OutputQuota.ts"

export const AdmissionPolicy = Context.Reference<{
  readonly limits: ExecutionLimitPolicy
  /** How many executions there may be that have not ended; beyond it requests are refused. */
  readonly bounds: QueueBounds
  /** Bytes of output that may be kept of one user's executions; who has reached them is refused until some are deleted. 0: no bound. */
  readonly maxStoredOutputBytesPerUser: number
}>("@fairlead/core/executions/AdmissionPolicy", {
  defaultValue: () => ({
    limits: defaultLimitPolicy,
    bounds: defaultQueueBounds,
    maxStoredOutputBytesPerUser: defaultMaxStoredOutputBytes
  })
})
