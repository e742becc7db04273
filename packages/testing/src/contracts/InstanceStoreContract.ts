/** What every record of instances promises: who is there, and for how long each has been silent. */
import { assert, it } from "@effect/vitest"
import { InstanceStore } from "@fairlead/core/instances/InstanceStore"
import type { Stores } from "@fairlead/core/Stores"
import { Effect, type Layer } from "effect"
import { served, servingHost } from "../fixtures/QueueFixtures.ts"
import { liveSuite } from "./internal/eventually.ts"

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`InstanceStore (${name})`, (it) => {
    it.effect("list gives what each host said last, the latest heard of first", () =>
      Effect.gen(function* () {
        const store = yield* InstanceStore
        yield* store.heartbeat(servingHost(1, [served("a")]))
        yield* store.heartbeat(servingHost(2))
        yield* Effect.timeoutOption(Effect.never, "20 millis")
        yield* store.heartbeat(servingHost(1, [served("a"), served("b")], { draining: true }))
        const instances = yield* store.list
        assert.deepStrictEqual(
          instances.map(({ instance }) => [
            instance.name,
            instance.draining,
            instance.nodes.map(({ nodeId }) => nodeId)
          ]),
          [
            ["host-1", true, ["process/a", "process/b"]],
            ["host-2", false, []]
          ]
        )
        const [first, second] = instances.map(({ sinceHeartbeatMillis }) => sinceHeartbeatMillis)
        assert.isAtLeast(first ?? -1, 0)
        assert.isAtLeast(second ?? 0, 15)
      })
    )

    it.effect("forget drops those that have been silent as long, and counts them", () =>
      Effect.gen(function* () {
        const store = yield* InstanceStore
        yield* store.heartbeat(servingHost(11))
        assert.strictEqual(yield* store.forget(60_000), 0)
        const known = (yield* store.list).length
        assert.strictEqual(yield* store.forget(0), known)
        assert.deepStrictEqual(yield* store.list, [])
      })
    )
  })
