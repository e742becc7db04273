/** Numbers about the process, taken when somebody asks for metrics. An instance that has none leaves the default. */
import { Context, Effect } from "effect"

/** Runs before each scrape and updates gauges. */
export const ProcessMetrics = Context.Reference<Effect.Effect<void>>("@fairlead/http/server/ProcessMetrics", {
  defaultValue: () => Effect.void
})
