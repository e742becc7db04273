/** Numbers about this Node process under the names that Prometheus dashboards know. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, Layer, Metric } from "effect"
import { ProcessMetrics } from "../server/ProcessMetrics.ts"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })

const cpuSeconds = Metric.counter("process_cpu_seconds_total", { description: "CPU time used, in seconds." })
const startTime = gauge("process_start_time_seconds", "When the process started, in seconds since 1970.")
const residentBytes = gauge("process_resident_memory_bytes", "Resident memory in bytes.")
const heapBytes = gauge("nodejs_heap_size_used_bytes", "JavaScript heap in use, in bytes.")
const heapTotalBytes = gauge("nodejs_heap_size_total_bytes", "JavaScript heap reserved, in bytes.")
const externalBytes = gauge("nodejs_external_memory_bytes", "Memory of buffers outside the heap, in bytes.")
const loopLag = gauge(
  "nodejs_eventloop_lag_p99_seconds",
  "99 % of waits of the event loop since the last scrape were shorter."
)

const loopDelay = Effect.acquireRelease(
  Effect.sync(() => {
    const histogram = monitorEventLoopDelay({ resolution: 20 })
    histogram.enable()
    return histogram
  }),
  (histogram) => Effect.sync(() => histogram.disable())
)

export const layer = Layer.effect(
  ProcessMetrics,
  Effect.map(loopDelay, (delay) => {
    let countedSeconds = 0
    return Effect.gen(function* () {
      const memory = process.memoryUsage()
      const { system, user } = process.cpuUsage()
      const usedSeconds = (system + user) / 1e6
      yield* Metric.update(cpuSeconds, usedSeconds - countedSeconds)
      countedSeconds = usedSeconds
      yield* Metric.update(startTime, performance.timeOrigin / 1000)
      yield* Metric.update(residentBytes, memory.rss)
      yield* Metric.update(heapBytes, memory.heapUsed)
      yield* Metric.update(heapTotalBytes, memory.heapTotal)
      yield* Metric.update(externalBytes, memory.external)
      yield* Metric.update(loopLag, delay.percentile(99) / 1e9)
      delay.reset()
    })
  })
)
