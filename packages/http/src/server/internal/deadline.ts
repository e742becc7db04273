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
  Effect.contextWith((context) => {
    const fiber = Effect.runForkWith(context)(work)
    // Most answers are there at once, and need no timer.
    return fiber.pollUnsafe() ?? awaited(fiber, millis, late)
  })

const awaited = <A, E, L>(fiber: Fiber.Fiber<A, E>, millis: number, late: () => L) =>
  Effect.callback<A, E | L>((resume) => {
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
