/** Waiting for one topic among all wake-ups: one subscription a process serves any number of waiters. */
import { Context, Effect, Layer, Queue, type Scope, Stream } from "effect"
import { Wakeups, type WakeupTopic } from "./Wakeups.ts"

export class WakeupWaiters extends Context.Service<
  WakeupWaiters,
  {
    /**
     * Listens to `topics` from now on, until the scope closes. The answer waits for the next hint; hints that came since the
     * last wait count as one. Also wakes after `sweepMillis`, because hints may be lost.
     */
    on(topics: ReadonlyArray<WakeupTopic>, sweepMillis: number): Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
  }
>()("@fairlead/core/wakeups/WakeupWaiters") {
  static readonly layer = Layer.effect(
    WakeupWaiters,
    Effect.gen(function* () {
      const waiting = new Map<WakeupTopic, Set<Queue.Queue<void>>>()
      const wake = (queues: Iterable<Queue.Queue<void>>) =>
        Effect.sync(() => {
          for (const queue of queues) Queue.offerUnsafe(queue, undefined)
        })

      yield* (yield* Wakeups).all.pipe(
        Stream.runForEach((topic) =>
          wake(
            topic === "wakeups/lost"
              ? [...waiting.values()].flatMap((queues) => [...queues])
              : (waiting.get(topic) ?? [])
          )
        ),
        Effect.forkScoped
      )

      const add = (topic: WakeupTopic, queue: Queue.Queue<void>) => {
        const queues = waiting.get(topic) ?? new Set()
        waiting.set(topic, queues.add(queue))
      }
      const drop = (topic: WakeupTopic, queue: Queue.Queue<void>) => {
        const queues = waiting.get(topic)
        queues?.delete(queue)
        if (queues?.size === 0) waiting.delete(topic)
      }

      return WakeupWaiters.of({
        on: Effect.fnUntraced(function* (topics, sweepMillis) {
          const queue = yield* Queue.sliding<void>(1)
          yield* Effect.acquireRelease(
            Effect.sync(() => {
              for (const topic of topics) add(topic, queue)
            }),
            () =>
              Effect.sync(() => {
                for (const topic of topics) drop(topic, queue)
              })
          )
          return Effect.raceFirst(Queue.take(queue), Effect.sleep(sweepMillis))
        })
      })
    })
  )
}
