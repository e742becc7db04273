/** What every ledger of the bus promises: one holder at a time, and a holder that was replaced writes nothing. */
import { assert, it } from "@effect/vitest"
import { ConsumerGroupStore } from "@fairlead/core/bus/ConsumerGroupStore"
import { BusGroup, Delivery } from "@fairlead/core/bus/Delivery"
import { DateTime, Effect, Equal, type Layer, Option } from "effect"
import { instant } from "../fixtures/ExecutionFixtures.ts"
import { eventId } from "../fixtures/Uuid.ts"
import { eventually, liveSuite } from "./internal/eventually.ts"

const delivery = (group: BusGroup, n: number, changes: Partial<Delivery> = {}) =>
  new Delivery({
    group,
    eventId: eventId(n),
    stream: "s",
    streamVersion: n,
    state: "retry",
    attempts: 0,
    visibleAt: instant,
    createdAt: instant,
    updatedAt: instant,
    ...changes
  })

/** A new group, held for a minute. */
const holding = Effect.fnUntraced(function* (name: string) {
  const ledger = yield* ConsumerGroupStore
  const group = BusGroup.make(name)
  yield* ledger.register(group, "beginning")
  return Option.getOrThrow(yield* ledger.claim(group, 60_000))
})

const nothing = { cursor: undefined, taken: [], kept: [] }

export const suite = (name: string, ledgers: Layer.Layer<ConsumerGroupStore, unknown>): void =>
  it.layer(ledgers, liveSuite)(`BusLedger (${name})`, (it) => {
    it.effect("of 20 rivals one holds a group, until it gives it back", () =>
      Effect.gen(function* () {
        const ledger = yield* ConsumerGroupStore
        const group = BusGroup.make("a")
        assert.isTrue(Option.isNone(yield* ledger.claim(group, 60_000)))
        yield* ledger.register(group, "now")
        const rivals = Effect.replicateEffect(ledger.claim(group, 60_000), 20, { concurrency: 20 })
        const [first, ...others] = (yield* rivals).flatMap(Option.toArray)
        assert(first !== undefined && others.length === 0)
        yield* ledger.register(group, "beginning")
        assert.isTrue(yield* ledger.renew(first, 60_000))
        yield* ledger.release(first)
        assert.isFalse(yield* ledger.renew(first, 60_000))
        assert.isFalse(yield* ledger.commit(first, nothing))
        const second = Option.getOrThrow(yield* ledger.claim(group, 60_000))
        assert.isAbove(second.fence, first.fence)
      })
    )

    it.effect("a lease that lapsed goes to another, and whoever had it writes and gives back nothing more", () =>
      Effect.gen(function* () {
        const ledger = yield* ConsumerGroupStore
        const group = BusGroup.make("b")
        yield* ledger.register(group, "beginning")
        const dead = Option.getOrThrow(yield* ledger.claim(group, 100))
        const next = Option.getOrThrow(yield* eventually(ledger.claim(group, 60_000), Option.isSome))
        assert.isFalse(yield* ledger.renew(dead, 60_000))
        assert.isFalse(yield* ledger.commit(dead, { ...nothing, kept: [delivery(group, 1)] }))
        yield* ledger.release(dead)
        assert.isTrue(Option.isNone(yield* ledger.claim(group, 60_000)))
        assert.deepStrictEqual(yield* ledger.backlog(group, instant, 10), { due: [], size: 0 })
        assert.isTrue(yield* ledger.commit(next, { ...nothing, kept: [delivery(group, 1)] }))
      })
    )

    it.effect("commit writes all of it, and the next holder goes on from there", () =>
      Effect.gen(function* () {
        const ledger = yield* ConsumerGroupStore
        const held = yield* holding("c")
        const failure = { type: "T", message: "a\u0000b\ud800" }
        const kept = [delivery(held.group, 1), delivery(held.group, 2, { state: "dead", attempts: 3, failure })]
        assert.isTrue(yield* ledger.commit(held, { ...nothing, kept }))
        const { deliveries } = yield* ledger.dead(held.group, 10, 0)
        assert.isTrue(Equal.equals(deliveries, kept.slice(1)))
        assert.isTrue(Equal.equals((yield* ledger.backlog(held.group, instant, 10)).due, kept.slice(0, 1)))
        const changed = delivery(held.group, 1, { attempts: 4 })
        assert.isTrue(yield* ledger.commit(held, { ...nothing, kept: [changed] }))
        assert.isTrue(Equal.equals((yield* ledger.backlog(held.group, instant, 10)).due, [changed]))
        assert.isTrue(yield* ledger.commit(held, { ...nothing, taken: [eventId(1)] }))
        assert.strictEqual((yield* ledger.backlog(held.group, instant, 10)).size, 0)
      })
    )

    it.effect("backlog gives the oldest of each stream once it is due, and blocked names the streams", () =>
      Effect.gen(function* () {
        const ledger = yield* ConsumerGroupStore
        const held = yield* holding("d")
        const later = DateTime.add(instant, { seconds: 1 })
        const of = (n: number, stream: string, visibleAt = instant) => delivery(held.group, n, { stream, visibleAt })
        yield* ledger.commit(held, {
          ...nothing,
          kept: [
            of(3, "x"),
            of(2, "x", later),
            of(10, "y"),
            of(9, "y"),
            delivery(held.group, 20, { stream: "z", state: "dead" })
          ]
        })
        const due = (at: DateTime.Utc, limit: number) =>
          Effect.map(ledger.backlog(held.group, at, limit), (found) => [
            found.size,
            ...found.due.map(({ streamVersion }) => streamVersion)
          ])
        assert.deepStrictEqual(yield* due(instant, 10), [4, 9])
        assert.deepStrictEqual(yield* due(later, 10), [4, 9, 2])
        assert.deepStrictEqual(yield* due(later, 1), [4, 9])
        assert.deepStrictEqual(yield* ledger.blocked(held.group, ["x", "z", "q"]), new Set(["x"]))
        assert.deepStrictEqual(yield* ledger.blocked(BusGroup.make("a"), ["x"]), new Set())
      })
    )
  })
