/** What a host tells about itself in health reports. */
import { Context } from "effect"

export const HealthSettings = Context.Reference<{
  /** How many sagas this host drives at a time; absent on a host that drives none. */
  readonly maxConcurrentExecutions?: number | undefined
}>("@fairlead/core/health/HealthSettings", { defaultValue: () => ({}) })
