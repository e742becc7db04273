/**
 * Counts and times of requests. Labels are bounded: the route is a pattern of ours or `unmatched`, the method one of seven
 * or `OTHER`, the status what we answered. Each series is made once and found again in a map.
 */
import { type Context, Metric } from "effect"

const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
const boundaries = Metric.boundariesFromIterable([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

interface Series {
  readonly count: Metric.Counter<number>
  readonly duration: Metric.Histogram<number>
}

export interface HttpMetrics {
  /** `seconds` runs from the arrival of the head to the answer's head: a stream is not timed to its end. */
  record(
    context: Context.Context<never>,
    method: string,
    route: string | undefined,
    status: number,
    seconds: number
  ): void
}

export const make = (): HttpMetrics => {
  const known = new Map<string, Series>()
  const seriesOf = (rawMethod: string, route: string, status: number): Series => {
    const method = knownMethods.has(rawMethod) ? rawMethod : "OTHER"
    const key = `${method} ${status} ${route}`
    const found = known.get(key)
    if (found !== undefined) return found
    const attributes = { method, route, status: `${status}` }
    const made = {
      count: Metric.counter("http_requests_total", {
        description: "Requests answered.",
        incremental: true,
        attributes
      }),
      duration: Metric.histogram("http_request_duration_seconds", {
        description: "Seconds from a request's arrival to the head of its answer.",
        boundaries,
        attributes: { method, route }
      })
    }
    known.set(key, made)
    return made
  }
  return {
    record: (context, method, route, status, seconds) => {
      const series = seriesOf(method, route ?? "unmatched", status)
      series.count.updateUnsafe(1, context)
      series.duration.updateUnsafe(seconds, context)
    }
  }
}
