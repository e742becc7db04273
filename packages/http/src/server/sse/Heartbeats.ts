/** One timer for the heartbeats of all event streams of an instance. */
import { Clock, Effect } from "effect"

/** Looks at the streams in the time of one heartbeat: by one such part it may be late. */
const sweeps = 15
/** Streams that are woken before the event loop turns. */
const wokenAtOnce = 32

/** The heartbeats of one stream. */
export interface Heartbeat {
  /** Whether it is time for one. */
  isDue(): boolean
  /** One is sent now. */
  sent(): void
  /** No more are sent. */
  stop(): void
}

export interface Heartbeats {
  /** Calls `wake` again and again while a heartbeat is due, the first time after one interval, until it is stopped. */
  watch(wake: () => void): Heartbeat
}

/** Works until the scope closes. */
export const make = Effect.fnUntraced(function* (intervalMillis: number) {
  const clock = yield* Clock.Clock
  const streams = new Map<Heartbeat, () => void>()

  const sweep = Effect.gen(function* () {
    let woken = 0
    for (const [heartbeat, wake] of streams) {
      if (!heartbeat.isDue()) continue
      wake()
      if (++woken % wokenAtOnce === 0) yield* Effect.yieldNow
    }
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(sweep, intervalMillis / sweeps)))

  const heartbeats: Heartbeats = {
    watch: (wake) => {
      let lastMillis = clock.currentTimeMillisUnsafe()
      const heartbeat: Heartbeat = {
        isDue: () => clock.currentTimeMillisUnsafe() - lastMillis >= intervalMillis,
        sent: () => {
          lastMillis = clock.currentTimeMillisUnsafe()
        },
        stop: () => void streams.delete(heartbeat)
      }
      streams.set(heartbeat, wake)
      return heartbeat
    }
  }
  return heartbeats
})
