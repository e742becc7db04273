/** Opens a stream again and again until it has told everything. */
import { FairleadError } from "../FairleadError.ts"
import { backoffMillis, sleep } from "./waiting.ts"

/** Connections in a row without a sign of life, until the error is handed on. */
const mostFailures = 10

/**
 * One connection after the other: `open` goes on where the last one broke off, yields what is new or `undefined` as a mere sign of life,
 * and returns true once there is nothing more to come. After a connection that brought something new the next is opened at once; after
 * one that did not there is a growing wait.
 */
export async function* persevere<A>(
  open: () => AsyncGenerator<A | undefined, boolean, undefined>,
  signal: AbortSignal | undefined
): AsyncGenerator<A, void, undefined> {
  let failures = 0
  while (true) {
    let broken = new FairleadError({ code: "NETWORK", detail: "The stream ended before its end." })
    let progressed = false
    const connection = open()
    try {
      while (true) {
        const { done, value } = await connection.next()
        if (done === true && value) return
        if (done === true) break
        failures = 0
        if (value === undefined) continue
        progressed = true
        yield value
      }
    } catch (error) {
      if (!(error instanceof FairleadError) || !error.retryable) throw error
      broken = error
    } finally {
      await connection.return(true)
    }
    if (++failures > mostFailures) throw broken
    if (!progressed) await sleep((broken.retryAfterSeconds ?? 0) * 1000 + backoffMillis(failures), signal)
  }
}
