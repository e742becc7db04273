/**
 * Port: hints that something changed, sent to every instance. A hint carries no data and may be lost, so whoever waits for one
 * also looks by itself now and then; the truth is always in a store.
 */
import { Context, Effect, Layer, PubSub, Stream } from "effect"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"

/** What changed: an area word and an id, for example `execution/019a…`. */
export type WakeupTopic = `${string}/${string}`

export class Wakeups extends Context.Service<
  Wakeups,
  {
    /** Sent once the caller's transaction commits, dropped when it rolls back. Never fails and never waits. */
    send(topic: WakeupTopic): Effect.Effect<void>
    /**
     * Hints from all instances, this one included, sent after the stream started. A reader that falls behind loses the oldest
     * ones (1,024 are kept); a broken connection between instances is mended, and reported once as the topic `wakeups/lost`.
     */
    readonly all: Stream.Stream<WakeupTopic>
  }
>()("@fairlead/core/wakeups/Wakeups") {
  static readonly layerMemory = Layer.effect(
    Wakeups,
    Effect.gen(function* () {
      const { afterCommit } = yield* MemoryDatabase
      const hints = yield* PubSub.sliding<WakeupTopic>(1024)
      return Wakeups.of({
        send: (topic) => afterCommit(Effect.asVoid(PubSub.publish(hints, topic))),
        all: Stream.fromPubSub(hints)
      })
    })
  )
}
