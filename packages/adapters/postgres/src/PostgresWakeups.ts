/**
 * `Wakeups` between instances over LISTEN/NOTIFY, and within one process without. A commit that carries a NOTIFY waits for every other
 * such commit, so hints never travel in the business transaction: they are gathered after it and sent by themselves.
 */
import { PgClient } from "@effect/sql-pg"
import { Wakeups, type WakeupTopic } from "@fairlead/core/wakeups/Wakeups"
import { Effect, Latch, Layer, PubSub, Queue, Schedule, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"

const channel = "fairlead_wakeups"
/** At most one NOTIFY statement per instance in this time. */
const gatherMillis = 20
/** Topics that wait to be sent; more than these become one `wakeups/lost`. */
const maxPending = 1_024
/** Of the 8,000 bytes that PostgreSQL allows. */
const maxPayloadChars = 7_500
const maxTopicChars = 256
const lost: WakeupTopic = "wakeups/lost"

const makeHints = PubSub.sliding<WakeupTopic>(1_024)

/** For a database that only this process uses. */
export const layerLocal = Layer.effect(
  Wakeups,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const hints = yield* makeHints
    return Wakeups.of({
      send: (topic) => sql.afterCommit(Effect.asVoid(PubSub.publish(hints, topic))),
      all: Stream.fromPubSub(hints)
    })
  })
)

/** Holds one connection of the pool for listening. */
export const layer = Layer.effect(
  Wakeups,
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    const hints = yield* makeHints
    const instance = SecureRandom.uuidV4Unsafe()
    const pending = new Set<WakeupTopic>()
    const waiting = Latch.makeUnsafe(false)

    const gather = (topic: WakeupTopic) => {
      const beyond = topic.length > maxTopicChars || pending.size >= maxPending
      if (beyond) pending.clear()
      // Once `lost` waits it says everything.
      if (!pending.has(lost)) pending.add(beyond ? lost : topic)
      waiting.openUnsafe()
    }
    const send = (topic: WakeupTopic) =>
      sql.afterCommit(
        Effect.andThen(
          PubSub.publish(hints, topic),
          Effect.sync(() => gather(topic))
        )
      )

    const flush = Effect.suspend(() => {
      waiting.closeUnsafe()
      const payloads = payloadsOf(instance, pending)
      pending.clear()
      return sql`select pg_notify(${channel}, payload) from unnest(${payloads}::text[]) as payload`
    })
    yield* waiting.await.pipe(
      Effect.andThen(flush),
      Effect.tapError((error) => Effect.logDebug("Wake-ups were not sent", error)),
      // A hint may be lost: whoever waits for one also looks by itself.
      Effect.ignore,
      Effect.andThen(Effect.sleep(gatherMillis)),
      Effect.forever,
      Effect.forkScoped
    )

    const receive = (payload: string) => {
      const [from, ...topics] = payload.split("\n")
      return from === instance ? Effect.void : PubSub.publishAll(hints, topics.filter(isTopic))
    }
    let listened = false
    const listen = Effect.gen(function* () {
      const notifications = yield* sql.listen(channel)
      if (listened) yield* PubSub.publish(hints, lost)
      listened = true
      return yield* Effect.forever(Effect.flatMap(Queue.take(notifications), ({ payload }) => receive(payload)))
    })
    yield* Effect.scoped(listen).pipe(
      Effect.tapError((error) => Effect.logWarning("LISTEN connection lost; reconnecting", error)),
      Effect.retry(Schedule.spaced("1 second")),
      Effect.forkScoped
    )
    return Wakeups.of({ send, all: Stream.fromPubSub(hints) })
  })
)

const isTopic = (text: string): text is WakeupTopic => text.includes("/")

/** Texts of at most `maxPayloadChars`: the sender, then one topic a line. */
const payloadsOf = (instance: string, topics: Iterable<WakeupTopic>): ReadonlyArray<string> => {
  const payloads: Array<string> = []
  let payload = instance
  for (const topic of topics) {
    if (payload.length + topic.length + 1 > maxPayloadChars) {
      payloads.push(payload)
      payload = instance
    }
    payload += `\n${topic}`
  }
  return [...payloads, payload]
}
