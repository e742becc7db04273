/** What every bus promises: at least once, streams in order, one member at a time, and failures that hold up nobody else. */
import { assert, it } from "@effect/vitest"
import { Bus } from "@fairlead/core/bus/Bus"
import { BusGroup, DeliveryError } from "@fairlead/core/bus/Delivery"
import type { DeliveryRetry } from "@fairlead/core/bus/DeliveryRetry"
import type { Subscription } from "@fairlead/core/bus/Subscription"
import { EventLog } from "@fairlead/core/events/EventLog"
import type { StoredEvent } from "@fairlead/core/events/StoredEvent"
import type { Stores } from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { Deferred, Effect, Fiber, type Layer, Option, Scope } from "effect"
import { cancelledEvent, runningEvent } from "../fixtures/EventFixtures.ts"
import { eventId } from "../fixtures/Uuid.ts"
import { asFarAsItGets, eventually, liveSuite } from "./internal/eventually.ts"

const immediate: DeliveryRetry = { strategy: "immediate", maxAttempts: 3 }
const refused = new DeliveryError({ failureType: "Refused", detail: "no", retryable: true })
const nameOf = ({ stream, streamVersion }: StoredEvent) => `${stream}:${streamVersion}`

/** Joins a group named like the streams of its test (`a/…`), and notes what it takes of these, before `handle` decides. */
const consuming = Effect.fnUntraced(function* (
  area: string,
  handle: (event: StoredEvent) => Effect.Effect<void, DeliveryError> = () => Effect.void,
  subscription: Partial<Subscription> = {}
) {
  const taken: Array<string> = []
  yield* (yield* Bus).consume({ group: BusGroup.make(area), from: "now", retry: immediate, ...subscription }, (event) =>
    Effect.suspend(() => {
      if (!event.stream.startsWith(`${area}/`)) return Effect.void
      taken.push(nameOf(event))
      return handle(event)
    })
  )
  return taken
})

const append = Effect.fnUntraced(function* (stream: string, ...numbers: ReadonlyArray<number>) {
  return yield* (yield* EventLog).append(stream, numbers.map(runningEvent))
})

const until = (condition: () => boolean) => eventually(Effect.sync(condition), (holds) => holds)
const untilTaken = (taken: ReadonlyArray<string>, ...names: ReadonlyArray<string>) =>
  until(() => names.every((name) => taken.includes(name)))
const of = (taken: ReadonlyArray<string>, stream: string) => taken.filter((name) => name.startsWith(`${stream}:`))

const versionsOf = (stream: string, last: number) => Array.from({ length: last }, (_, i) => `${stream}:${i + 1}`)

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`Bus (${name})`, (it) => {
    it.effect("a new group begins now or at the beginning, and one that exists goes on where it was", () =>
      Effect.gen(function* () {
        yield* append("a/1", 1001)
        yield* eventually(
          Effect.flatMap(EventLog, (log) => log.readAll(undefined, 10)),
          ({ events }) => events.length > 0
        )
        const late = yield* Effect.scoped(
          Effect.gen(function* () {
            const taken = yield* consuming("a")
            yield* append("a/1", 1002)
            yield* untilTaken(taken, "a/1:2")
            return taken
          })
        )
        assert.deepStrictEqual(late, ["a/1:2"])
        const early = yield* consuming("a", undefined, { group: BusGroup.make("a-2"), from: "beginning" })
        yield* untilTaken(early, "a/1:2")
        assert.deepStrictEqual(early, ["a/1:1", "a/1:2"])
        yield* append("a/1", 1003)
        const again = yield* consuming("a")
        yield* untilTaken(again, "a/1:3")
        assert.strictEqual(again.at(-1), "a/1:3")
        assert.notInclude(again, "a/1:1")
      }).pipe(Effect.scoped)
    )

    it.effect("a group takes only the tags that it asked for", () =>
      Effect.gen(function* () {
        const taken = yield* consuming("b", undefined, { tags: ["ExecutionCancelled"] })
        const log = yield* EventLog
        yield* log.append("b/1", [runningEvent(1011), cancelledEvent(1012), runningEvent(1013), cancelledEvent(1014)])
        yield* untilTaken(taken, "b/1:4")
        assert.deepStrictEqual(taken, ["b/1:2", "b/1:4"])
      }).pipe(Effect.scoped)
    )

    it.effect("300 events of 7 streams all come, each stream in order and one at a time", () =>
      Effect.gen(function* () {
        const [busy, most] = [new Set<string>(), { streams: 0 }]
        const taken = yield* consuming("c", ({ stream }) =>
          Effect.gen(function* () {
            assert.isFalse(busy.has(stream))
            busy.add(stream)
            most.streams = Math.max(most.streams, busy.size)
            yield* Effect.yieldNow
            busy.delete(stream)
          })
        )
        for (let n = 0; n < 300; n += 3) yield* append(`c/${n % 7}`, 1100 + n, 1101 + n, 1102 + n)
        yield* until(() => taken.length >= 300)
        assert.strictEqual(taken.length, 300)
        assert.isAtLeast(most.streams, 2)
        for (let s = 0; s < 7; s++) {
          const own = of(taken, `c/${s}`)
          assert.deepStrictEqual(own, versionsOf(`c/${s}`, own.length))
        }
      }).pipe(Effect.scoped)
    )

    it.effect("what a member had in hand when it was cut off goes to the next, not counted as a failure", () =>
      Effect.gen(function* () {
        const first = yield* Scope.make()
        const taken = yield* consuming("d", ({ streamVersion }) =>
          streamVersion < 3 ? Effect.void : Effect.never
        ).pipe(Scope.provide(first))
        yield* append("d/1", 1401, 1402, 1403, 1404)
        yield* untilTaken(taken, "d/1:3")
        yield* Scope.close(first, yield* Effect.exit(Effect.void))
        const next = yield* consuming("d", undefined, { retry: { strategy: "immediate", maxAttempts: 1 } })
        yield* untilTaken(next, "d/1:3", "d/1:4")
        assert.deepStrictEqual(next, ["d/1:3", "d/1:4"])
        assert.strictEqual((yield* (yield* Bus).dead(BusGroup.make("d"), 10, 0)).total, 0)
      }).pipe(Effect.scoped)
    )

    it.effect("of two members one takes everything; the other goes on when it leaves, without a gap", () =>
      Effect.gen(function* () {
        let inHand = 0
        const one = Effect.acquireUseRelease(
          Effect.sync(() => assert.strictEqual(++inHand, 1)),
          () => Effect.timeoutOption(Effect.never, "2 millis"),
          () => Effect.sync(() => inHand--)
        )
        const [first, second] = [yield* Scope.make(), yield* Scope.make()]
        const options = { concurrency: 1 }
        const a = yield* consuming("e", () => one, options).pipe(Scope.provide(first))
        yield* append("e/1", 1501)
        yield* untilTaken(a, "e/1:1")
        const b = yield* consuming("e", () => one, options).pipe(Scope.provide(second))
        for (let n = 0; n < 30; n++) yield* append(`e/${n % 3}`, 1502 + n)
        yield* until(() => a.length >= 31 && inHand === 0)
        assert.deepStrictEqual(b, [])
        yield* Scope.close(first, yield* Effect.exit(Effect.void))
        yield* append("e/1", 1540)
        yield* untilTaken(b, "e/1:12")
        // Nothing comes twice either: whoever leaves has written down what it took.
        assert.deepStrictEqual(b, ["e/1:12"])
        yield* Scope.close(second, yield* Effect.exit(Effect.void))
      })
    )

    it.effect("a failure is retried in place: its stream waits, the others go on", () =>
      Effect.gen(function* () {
        const open = yield* Deferred.make<void>()
        const passed: Array<string> = []
        const taken = yield* consuming(
          "f",
          (event) =>
            Effect.gen(function* () {
              if (nameOf(event) === "f/1:2" && !(yield* Deferred.isDone(open))) return yield* refused
              passed.push(nameOf(event))
            }),
          { retry: { strategy: "fixed", maxAttempts: 50, delayMillis: 200 } }
        )
        yield* append("f/1", 1601, 1602, 1603)
        yield* append("f/2", 1604)
        yield* untilTaken(passed, "f/2:1")
        // These come while the stream is held up, in a later page.
        yield* append("f/1", 1605, 1606)
        yield* append("f/2", 1607)
        yield* untilTaken(passed, "f/2:2")
        yield* until(() => taken.filter((name) => name === "f/1:2").length >= 3)
        assert.deepStrictEqual(of(passed, "f/1"), ["f/1:1"])
        yield* Deferred.succeed(open, undefined)
        yield* untilTaken(passed, "f/1:5")
        assert.deepStrictEqual(of(passed, "f/1"), versionsOf("f/1", 5))
      }).pipe(Effect.scoped)
    )

    it.effect("a poison event is dead after its attempts, is listed, and lets its stream go on", () =>
      Effect.gen(function* () {
        const bus = yield* Bus
        const group = BusGroup.make("g")
        const long = "\u0000".repeat(5_000)
        const taken = yield* consuming("g", (event) => {
          if (event.eventId === eventId(1702)) return Effect.die(new Error(long))
          if (event.eventId === eventId(1703)) return Effect.fail(new DeliveryError({ ...refused, retryable: false }))
          return Effect.void
        })
        yield* append("g/1", 1701, 1702, 1703, 1704)
        yield* untilTaken(taken, "g/1:4")
        assert.deepStrictEqual(
          taken,
          [1, 2, 2, 2, 3, 4].map((version) => `g/1:${version}`)
        )
        const { deliveries, total } = yield* eventually(bus.dead(group, 10, 0), (found) => found.total === 2)
        assert.strictEqual(total, 2)
        assert.deepInclude(deliveries[0], { eventId: eventId(1703), state: "dead", attempts: 1 })
        assert.deepStrictEqual(deliveries[0]?.failure, { type: "Refused", message: "no" })
        assert.deepInclude(deliveries[1], { eventId: eventId(1702), state: "dead", attempts: 3, stream: "g/1" })
        assert.deepStrictEqual(deliveries[1]?.failure, { type: "defect", message: long.slice(0, 1_000) })
        assert.deepStrictEqual((yield* bus.dead(group, 1, 1)).deliveries, deliveries.slice(1))
      }).pipe(Effect.scoped)
    )

    it.effect("an attempt that takes too long is interrupted and has failed", () =>
      Effect.gen(function* () {
        let interrupted = 0
        const slow = Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
        yield* consuming("h", () => slow, { timeoutMillis: 20 })
        yield* append("h/1", 1801)
        const bus = yield* Bus
        const { deliveries } = yield* eventually(bus.dead(BusGroup.make("h"), 1, 0), ({ total }) => total === 1)
        assert.strictEqual(deliveries[0]?.failure?.type, "timeout")
        assert.strictEqual(interrupted, 3)
      }).pipe(Effect.scoped)
    )

    it.effect("a dead delivery can be redriven or discarded, once", () =>
      Effect.gen(function* () {
        const bus = yield* Bus
        const group = BusGroup.make("i")
        let broken = true
        const taken = yield* consuming("i", () => Effect.suspend(() => (broken ? Effect.fail(refused) : Effect.void)))
        yield* append("i/1", 1901)
        yield* append("i/2", 1902)
        yield* eventually(bus.dead(group, 1, 0), ({ total }) => total === 2)
        broken = false
        assert.isTrue(yield* bus.finalize(group, eventId(1901), "redrive"))
        assert.isFalse(yield* bus.finalize(group, eventId(1901), "redrive"))
        yield* until(() => of(taken, "i/1").length === 4)
        assert.isTrue(yield* bus.finalize(group, eventId(1902), "discard"))
        assert.isFalse(yield* bus.finalize(group, eventId(1902), "discard"))
        assert.strictEqual((yield* bus.dead(group, 10, 0)).total, 0)
        assert.strictEqual(of(taken, "i/2").length, 3)
      }).pipe(Effect.scoped)
    )

    it.effect("an event that commits late is taken, though later ones were there before", () =>
      Effect.gen(function* () {
        const { transaction } = yield* Storage
        const taken = yield* consuming("j")
        const [appended, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const late = yield* append("j/1", 2001).pipe(
          Effect.andThen(Deferred.succeed(appended, undefined)),
          Effect.andThen(Deferred.await(release)),
          transaction,
          Effect.forkChild
        )
        yield* Deferred.await(appended)
        const early = yield* Effect.forkChild(append("j/2", 2002))
        yield* asFarAsItGets(early)
        // Whoever could join meanwhile must not skip it either; where writers exclude each other nobody can.
        const joining = yield* Effect.forkChild(consuming("j", undefined, { group: BusGroup.make("j-2") }))
        const joined = yield* asFarAsItGets(joining)
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(late)
        yield* untilTaken(taken, "j/1:1", "j/2:1")
        const others = yield* Fiber.join(joining)
        if (Option.isSome(joined)) yield* untilTaken(others, "j/1:1")
      }).pipe(Effect.scoped)
    )

    it.effect("wake-ups deliver without waiting for the sweep", () =>
      Effect.gen(function* () {
        const taken = yield* consuming("k")
        const started = Effect.gen(function* () {
          // One after the other: by the sweep of a second alone this would take a minute.
          for (let n = 1; n <= 60; n++) {
            yield* append("k/1", 2100 + n)
            yield* untilTaken(taken, `k/1:${n}`)
          }
        })
        yield* Effect.timeoutOrElse(started, {
          duration: "20 seconds",
          orElse: () => Effect.die("waited for the sweep")
        })
      }).pipe(Effect.scoped)
    )
  })
