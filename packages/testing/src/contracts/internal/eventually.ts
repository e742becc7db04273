/** Bounded waiting, for what another fiber, instance or database will bring about. Contract suites run on the real clock. */
import { Effect, Fiber, Schedule } from "effect"

/** Reads until the value satisfies `wanted`; dies after ten seconds with the last value. */
export const eventually = <A, E, R>(read: Effect.Effect<A, E, R>, wanted: (value: A) => boolean) => {
  let last: A | undefined
  return read.pipe(
    Effect.tap((value) =>
      Effect.sync(() => {
        last = value
      })
    ),
    Effect.repeat({ until: wanted, schedule: Schedule.spaced("5 millis") }),
    Effect.timeoutOrElse({
      duration: "10 seconds",
      orElse: () => Effect.die(`still ${JSON.stringify(last)} after ten seconds`)
    })
  )
}

/** Lets a rival go on as far as it can: to its end, or to the lock that the caller holds. */
export const asFarAsItGets = <A, E>(rival: Fiber.Fiber<A, E>) => Effect.timeoutOption(Fiber.await(rival), "150 millis")

/** Options of every contract suite: locks, queues and hints need real time. */
export const liveSuite = { timeout: "60 seconds", excludeTestServices: true } as const
