/** An end to waiting, whatever is waited for. */
import { Effect, Fiber } from "effect"

/**
 * The same answer if it comes within `millis`, otherwise `late`, at once: the work is interrupted, and not waited for, because what
 * does not answer may not let itself be interrupted soon either.
 */
export const withinDeadline = <A, E, R, L>(
  work: Effect.Effect<A, E, R>,
  millis: number,
  late: () => L
): Effect.Effect<A, E | L, R> =>
  Effect.flatMap(Effect.context<R>(), (context) =>
    Effect.callback<A, E | L>((resume) => {
      const fiber = Effect.runForkWith(context)(work)
      const done = fiber.pollUnsafe()
      if (done !== undefined) {
        resume(done)
        return
      }
      const timer = setTimeout(() => {
        resume(Effect.fail(late()))
        fiber.interruptUnsafe()
      }, millis)
      fiber.addObserver((exit) => {
        clearTimeout(timer)
        resume(exit)
      })
      return Effect.andThen(
        Effect.sync(() => clearTimeout(timer)),
        Fiber.interrupt(fiber)
      )
    })
  )
