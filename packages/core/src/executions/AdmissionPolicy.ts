/** What a host lets in. A host replaces it once, at start-up. */
import { Context } from "effect"
import { defaultQueueBounds, type QueueBounds } from "../queue/QueueBounds.ts"
import { defaultLimitPolicy, type ExecutionLimitPolicy } from "./ExecutionLimits.ts"

export const AdmissionPolicy = Context.Reference<{
  readonly limits: ExecutionLimitPolicy
  /** How many executions there may be that have not ended; beyond it requests are refused. */
  readonly bounds: QueueBounds
}>("@fairlead/core/executions/AdmissionPolicy", {
  defaultValue: () => ({ limits: defaultLimitPolicy, bounds: defaultQueueBounds })
})
