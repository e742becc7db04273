import { assert, layer } from "@effect/vitest"
import * as NodeProcessMetrics from "@fairlead/http/node/NodeProcessMetrics"
import { ProcessMetrics } from "@fairlead/http/server/ProcessMetrics"
import { Effect } from "effect"
import { PrometheusMetrics } from "effect/observability"

layer(NodeProcessMetrics.layer)("NodeProcessMetrics", (it) => {
  it.effect("brings memory, CPU time and event loop under their usual names", () =>
    Effect.gen(function* () {
      yield* yield* ProcessMetrics
      yield* yield* ProcessMetrics
      const text = yield* PrometheusMetrics.format()
      const sample = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1])
      assert.isAbove(sample("process_resident_memory_bytes"), 10_000_000)
      assert.isAbove(sample("nodejs_heap_size_used_bytes"), 1_000_000)
      assert.isAtLeast(sample("nodejs_eventloop_lag_p99_seconds"), 0)
      const used = process.cpuUsage()
      assert.isAtMost(sample("process_cpu_seconds_total"), (used.user + used.system) / 1e6)
    })
  )
})
