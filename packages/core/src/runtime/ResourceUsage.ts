/** What one attempt consumed, as measured by its runtime; never estimated. */
import { Schema } from "effect"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export class ResourceUsage extends Schema.Class<ResourceUsage>("ResourceUsage")({
  /** From the start of the script's process to its end, in seconds. */
  executionTimeWallSeconds: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
  /** User and system time of the whole process tree, in clock ticks of `clkTckHertz`. */
  cpuTimeJiffies: Count,
  clkTckHertz: Count,
  /** Largest resident size seen, in KiB. Sampled by some runtimes, so a lower bound. */
  peakMemoryKb: Count
}) {}
