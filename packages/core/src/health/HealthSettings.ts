/** What an instance tells about itself in health reports. */
import { Context } from "effect"

export const HealthSettings = Context.Reference<{
  /** How many sagas this instance executes at a time; absent on an instance that executes none. */
  readonly maxConcurrentExecutions?: number | undefined
}>("@fairlead/core/health/HealthSettings", { defaultValue: () => ({}) })
