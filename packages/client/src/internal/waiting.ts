/** Waits that an `AbortSignal` can end. */
import { aborted } from "./errors.ts"

/** The promise, or `ABORTED` as soon as the signal says so; what the promise does then is nobody's concern any more. */
export const orAborted = async <A>(promise: Promise<A>, signal: AbortSignal | undefined): Promise<A> => {
  if (signal === undefined) return promise
  let stop: (() => void) | undefined
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        stop = () => reject(aborted(signal))
        if (signal.aborted) stop()
        else signal.addEventListener("abort", stop)
      })
    ])
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop)
  }
}

export const sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await orAborted(
      new Promise<void>((done) => {
        timer = setTimeout(done, milliseconds)
      }),
      signal
    )
  } finally {
    clearTimeout(timer)
  }
}

/** Full jitter: anything up to 250 ms, 500 ms, 1 s, … for the first, second, third failure in a row, 8 s at most. */
export const backoffMillis = (failures: number): number => Math.random() * Math.min(8000, 125 * 2 ** failures)
