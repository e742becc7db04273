/** A host of the simulation: the whole core, behind a gate, that can be stopped, crashed, frozen, cut off and started again. */
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import { QueuePolicy } from "@fairlead/core/queue/QueuePolicy"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import type { Stores } from "@fairlead/core/Stores"
import type { SagaDefinition } from "@fairlead/core/sagas/SagaDefinition"
import type { Secrets } from "@fairlead/core/secrets/Secrets"
import { Clock, Context, Effect, Exit, Layer, Scope } from "effect"
import { WebCrypto } from "effect/crypto"
import { type Chaos, type Gate, make as makeGate } from "./Gate.ts"
import { layer as gatedStores } from "./GatedStores.ts"
import type { Random } from "./Random.ts"
import { gated } from "./SimulatedMachine.ts"

export interface InstancePlan {
  readonly name: string
  readonly runtime: ScriptRuntime
  readonly maxRunning: number
  readonly stores: Context.Context<Stores | Secrets>
  readonly random: Random
  readonly crypto: Crypto
  readonly chaos: () => Chaos
  readonly perUser: number | undefined
  readonly sagas: ReadonlyArray<SagaDefinition>
  readonly note: (what: string) => void
}

type UseCases = Context.Service.Shape<typeof Executions>

interface Life {
  readonly gate: Gate
  readonly scope: Scope.Closeable
  executions: UseCases | undefined
  thawAtMillis: number
  reconnectAtMillis: number
  /** When what is left of a crashed host goes, and with it its hold on items of the engine. */
  goneAtMillis: number
}

export interface SimulatedInstance {
  readonly name: string
  /** The use cases, while the host is up; frozen ones do not answer. */
  readonly executions: () => UseCases | undefined
  readonly isUp: () => boolean
  /** Begins to start; whether it comes up shows later. */
  readonly start: Effect.Effect<void, never, Scope.Scope>
  /** Hands back what it holds and leaves. */
  readonly stop: Effect.Effect<void, never, Scope.Scope>
  readonly crash: () => void
  readonly freeze: (millis: number) => void
  /** For so long no store answers the host. */
  readonly cutOff: (millis: number) => void
  /** Ends a freeze, and reconnects. */
  readonly thaw: () => void
  /** Does what is due: thaws, reconnects, and clears away what is left of a crash. */
  readonly tick: Effect.Effect<void, never, Scope.Scope>
}

export const make = (plan: InstancePlan): SimulatedInstance => {
  const { chaos, crypto, maxRunning, name, note, perUser, random, runtime, sagas, stores } = plan
  let life: Life | undefined
  let remains: ReadonlyArray<Life> = []
  /** As of the last tick. */
  let nowMillis = 0

  const crash = () => {
    if (life === undefined) return
    note(`${name} crashes`)
    life.gate.kill()
    life.goneAtMillis = nowMillis + random.below(9_000)
    remains = [...remains, life]
    life = undefined
  }
  const freeze = (millis: number) => {
    if (life === undefined || life.gate.state() !== "open") return
    note(`${name} freezes for ${millis} ms`)
    life.gate.freeze()
    life.thawAtMillis = nowMillis + millis
  }
  const cutOff = (millis: number) => {
    if (life === undefined || life.gate.isCutOff()) return
    note(`${name} is cut off for ${millis} ms`)
    life.gate.cutOff()
    life.reconnectAtMillis = nowMillis + millis
  }
  const layerOf = (gate: Gate) =>
    layerExecutions({ instanceName: name, maxRunning, nodeTimeoutMillis: 20_000, sagas }).pipe(
      Layer.provide(
        Layer.effectDiscard(Effect.flatMap(ScriptRuntimes, (runtimes) => runtimes.register(gated(runtime, gate)))).pipe(
          Layer.provideMerge(ScriptRuntimes.layer)
        )
      ),
      Layer.provide(gatedStores(gate, random, chaos)),
      Layer.provide(Layer.succeedContext(stores)),
      Layer.provide(WebCrypto.layer(crypto)),
      Layer.provide(Layer.succeed(QueuePolicy, { limits: { perUser }, ageingMillis: 1_000, ttlMillis: 24 * 3_600_000 }))
    )

  const start = Effect.gen(function* () {
    if (life !== undefined) return
    note(`${name} starts`)
    const scope = yield* Scope.make()
    const gate = makeGate({ chaos, random, onCrash: crash, onFreeze: freeze })
    const begun: Life = { gate, scope, executions: undefined, thawAtMillis: 0, reconnectAtMillis: 0, goneAtMillis: 0 }
    life = begun
    yield* Layer.buildWithScope(Layer.fresh(layerOf(gate)), scope).pipe(
      Effect.matchCauseEffect({
        onFailure: () =>
          Effect.suspend(() => {
            if (life !== begun) return Effect.void
            note(`${name} does not come up`)
            life = undefined
            return Scope.close(scope, Exit.void)
          }),
        onSuccess: (services) =>
          Effect.sync(() => {
            begun.executions = Context.get(services, Executions)
          })
      }),
      Effect.forkScoped
    )
  })

  const tick = Effect.gen(function* () {
    nowMillis = yield* Clock.currentTimeMillis
    if (life?.gate.state() === "frozen" && life.thawAtMillis <= nowMillis) {
      note(`${name} wakes up`)
      life.gate.thaw()
    }
    if (life?.gate.isCutOff() === true && life.reconnectAtMillis <= nowMillis) {
      note(`${name} is connected again`)
      life.gate.reconnect()
    }
    const gone = remains.filter(({ goneAtMillis }) => goneAtMillis <= nowMillis)
    remains = remains.filter((dead) => !gone.includes(dead))
    for (const { scope } of gone) yield* Effect.forkScoped(Scope.close(scope, Exit.void))
  })

  return {
    name,
    executions: () => life?.executions,
    isUp: () => life?.executions !== undefined,
    start,
    stop: Effect.suspend(() => {
      if (life === undefined || life.gate.state() !== "open") return Effect.void
      note(`${name} stops`)
      const { scope } = life
      life = undefined
      return Effect.asVoid(Effect.forkScoped(Scope.close(scope, Exit.void)))
    }),
    crash,
    freeze,
    cutOff,
    thaw: () => {
      life?.gate.thaw()
      life?.gate.reconnect()
    },
    tick
  }
}
