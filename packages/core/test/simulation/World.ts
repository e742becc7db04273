/** Everything that one run of the simulation consists of: stores, machines, hosts and one careful user. */

import { createHash } from "node:crypto"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import * as Stores from "@fairlead/core/Stores"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { Clock, type Context, Effect, Layer, Result, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { type Chaos, calm } from "./Gate.ts"
import { make as makeNotes, type Notes } from "./Notes.ts"
import { fromSeed, type Random } from "./Random.ts"
import { make as makeHost, type SimulatedInstance } from "./SimulatedInstance.ts"
import { make as makeMachine, type SimulatedMachine } from "./SimulatedMachine.ts"
import { empty, hear, type UserAnswer, type UserView } from "./UserView.ts"

/** A bug that is put around a port, to see whether it is found. */
export interface Sabotage {
  readonly stores?: (stores: Layer.Layer<Stores.Stores>) => Layer.Layer<Stores.Stores>
  readonly runtime?: (runtime: ScriptRuntime) => ScriptRuntime
  /** The kind of world in which the bug shows soonest; absent: any. */
  readonly nodes?: ReadonlyArray<string>
  readonly chaos?: Partial<Chaos>
}

export interface WorldPlan {
  readonly seed: number
  /** Names of the machines of hosts 1, 2, …; hosts of one machine see the same jobs. */
  readonly nodes: ReadonlyArray<string>
  readonly maxRunning: number
  readonly perUser?: number | undefined
  readonly faulty: boolean
  readonly sabotage?: Sabotage | undefined
}

export interface World {
  readonly plan: WorldPlan
  readonly random: Random
  readonly stores: Context.Context<Stores.Stores | Secrets>
  readonly machines: ReadonlyArray<SimulatedMachine>
  readonly instances: ReadonlyArray<SimulatedInstance>
  readonly notes: Notes
  /** What may befall a call from now on. */
  chaos: Chaos
  view: UserView
  /** What happened, for people and for comparing two runs. */
  readonly trace: Array<string>
  /** Broken promises. */
  readonly violations: Set<string>
  readonly note: (what: string) => void
  readonly hear: (answer: UserAnswer) => void
  readonly violate: (what: string) => void
  /** Since the beginning, as of the last slice of time. */
  nowMillis: number
}

/** Random bytes that the seed decides, and digests without another thread, so that nothing depends on the machine. */
const cryptoOf = (random: Random): Crypto =>
  new Proxy(globalThis.crypto, {
    get: (crypto, key) => {
      if (key === "getRandomValues") return (bytes: Uint8Array) => bytes.map((_, i) => (bytes[i] = random.below(256)))
      if (key !== "subtle") return Reflect.get(crypto, key)
      return {
        digest: (_: unknown, data: Uint8Array) => {
          const { buffer } = Uint8Array.from(createHash("sha256").update(data).digest())
          return Promise.resolve(buffer)
        }
      }
    }
  })

export const make = Effect.fnUntraced(function* (plan: WorldPlan): Effect.fn.Return<World, never, Scope.Scope> {
  const { faulty, maxRunning, nodes, perUser, sabotage, seed } = plan
  const random = fromSeed(seed)
  const stores = yield* Layer.build(
    Layer.fresh(Layer.mergeAll((sabotage?.stores ?? ((layer) => layer))(Stores.layerMemory), Secrets.layerMemory))
  )
  const machines = yield* Effect.forEach([...new Set(nodes)], (node) => makeMachine(node, sabotage?.runtime))
  const [trace, violations] = [[] as string[], new Set<string>()]
  const note = (what: string) => void trace.push(`${(world.nowMillis / 1000).toFixed(2)} ${what}`)
  const violate = (what: string) => {
    if (!violations.has(what)) note(`BROKEN: ${what}`)
    violations.add(what)
  }
  const machine = (node: string) => machines.find((each) => each.node === node) ?? random.pick(machines)
  const notes = makeNotes()
  const instances = nodes.map((node, i) =>
    makeHost({
      name: `host-${i + 1}`,
      runtime: machine(node).runtime,
      maxRunning,
      perUser,
      sagas: [notes.definition],
      stores,
      random,
      crypto: cryptoOf(random),
      chaos: () => world.chaos,
      note
    })
  )
  const world: World = {
    plan,
    random,
    stores,
    machines,
    instances,
    notes,
    chaos: calm,
    view: empty(faulty),
    trace,
    violations,
    note,
    violate,
    hear: (answer) => {
      const next = hear(world.view, answer)
      if (Result.isFailure(next)) violate(next.failure)
      else world.view = next.success
    },
    nowMillis: 0
  }
  return world
})

/** Lets time pass, in slices after each of which `look` looks for broken promises. */
export const pass = Effect.fnUntraced(function* <E>(world: World, millis: number, look: Effect.Effect<void, E>) {
  const slice = 500
  for (let left = millis; left > 0; left -= slice) {
    yield* TestClock.adjust(Math.min(left, slice))
    world.nowMillis = yield* Clock.currentTimeMillis
    for (const { tick } of world.instances) yield* tick
    yield* look
  }
})
