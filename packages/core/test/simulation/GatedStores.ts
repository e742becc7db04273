/** The stores as one host meets them: through its gate. */

import { EventLog } from "@fairlead/core/events/EventLog"
import { AdmissionStore } from "@fairlead/core/executions/AdmissionStore"
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { IdempotencyStore } from "@fairlead/core/executions/IdempotencyStore"
import { InstanceStore } from "@fairlead/core/instances/InstanceStore"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { Journal } from "@fairlead/core/sagas/Journal"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { type Context, Effect, Fiber, Layer, type Scope, Stream } from "effect"
import { type Chaos, type Gate, InTransaction, storageFailure } from "./Gate.ts"
import type { Random } from "./Random.ts"

/** A copy of the service whose members are what `change` makes of each effect, or of each method's answer. */
export const changed = <S extends object>(
  service: S,
  change: (call: Effect.Effect<unknown, unknown, unknown>, name: string) => Effect.Effect<unknown, unknown, unknown>
): S =>
  new Proxy(service, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key)
      const name = String(key)
      if (Effect.isEffect(member)) return change(member, name)
      if (typeof member !== "function") return member
      return (...args: ReadonlyArray<unknown>) => {
        const call: unknown = Reflect.apply(member, target, args)
        return Effect.isEffect(call) ? change(call, name) : call
      }
    }
  })

/** A call of a store as the host meets it: with what may befall any call, and without an answer while the host is cut off. */
const met = <A, E, R>(gate: Gate, operation: string, call: Effect.Effect<A, E, R>) => {
  const broken = storageFailure(operation)
  return gate.disturb(
    Effect.suspend((): Effect.Effect<A, E | StorageError, R> => (gate.isCutOff() ? broken : call)),
    broken
  )
}

const gated = <I, S extends object>(port: Context.Service<I, S>, name: string, gate: Gate): Layer.Layer<I, never, I> =>
  Layer.effect(
    port,
    Effect.map(port, (service) => changed(service, (call, method) => met(gate, `${name}.${method}`, call)))
  )

const storage = (gate: Gate) =>
  Layer.effect(
    Storage,
    Effect.map(Storage, ({ check, durability, transaction }) =>
      Storage.of({
        durability,
        check: met(gate, "Storage.check", check),
        transaction: (work) =>
          Effect.flatMap(InTransaction, (inside) => {
            const whole = transaction(Effect.provideService(work, InTransaction, true))
            return inside ? whole : met(gate, "Storage.transaction", whole)
          })
      })
    )
  )

const wakeups = (gate: Gate, random: Random, chaos: () => Chaos) =>
  Layer.effect(
    Wakeups,
    Effect.map(Wakeups, ({ all, send }) =>
      Wakeups.of({
        send: (topic) => Effect.suspend(() => (random.chance(chaos().loss) ? Effect.void : send(topic))),
        all: all.pipe(
          Stream.mapEffect((topic) => Effect.as(gate.pass, topic)),
          Stream.filter(() => !random.chance(chaos().loss))
        )
      })
    )
  )

/** Without a sign of life for this long, what a host had in hand is delivered to others. */
const lockMillis = 9_000

/** Items come late, twice, and from a host that is silent they go to others although it may still work on them. */
const engine = (gate: Gate, random: Random, chaos: () => Chaos) =>
  Layer.effect(
    SagaEngine,
    Effect.map(SagaEngine, ({ check, dispatch, deliverLocal, run }) => {
      const silence = Effect.gen(function* () {
        let sinceHeartbeatMillis = 0
        while (sinceHeartbeatMillis < lockMillis) {
          yield* Effect.sleep(1_000)
          sinceHeartbeatMillis = gate.state() === "open" && !gate.isCutOff() ? 0 : sinceHeartbeatMillis + 1_000
        }
        return yield* storageFailure("SagaEngine.lock")
      })
      /** Ends with the driving, or before it: then the item is delivered again while the first driver still works on it. */
      const delivered = Effect.fnUntraced(function* <E>(executing: Effect.Effect<void, E>, instance: Scope.Scope) {
        yield* gate.pass
        if (random.chance(chaos().repeat)) yield* Effect.sleep(random.pick([100, 2_000, 12_000]))
        const executor = yield* Effect.forkIn(executing, instance)
        const repeated = random.chance(chaos().repeat)
          ? Effect.andThen(Effect.sleep(random.pick([1, 700, 5_000])), storageFailure("SagaEngine.repeat"))
          : Effect.never
        yield* Effect.raceFirst(Fiber.join(executor), repeated)
      })
      return SagaEngine.of({
        check: met(gate, "SagaEngine.check", check),
        dispatch: (...args) => met(gate, "SagaEngine.dispatch", dispatch(...args)),
        deliverLocal: (begun) => Effect.andThen(gate.pass, deliverLocal(begun)),
        run: (execute, nodes) =>
          Effect.flatMap(Effect.scope, (instance) =>
            run((item) => Effect.raceFirst(delivered(execute(item), instance), silence), nodes)
          )
      })
    })
  )

export const layer = (gate: Gate, random: Random, chaos: () => Chaos) =>
  Layer.mergeAll(
    gated(EventLog, "EventLog", gate),
    gated(ExecutionStore, "ExecutionStore", gate),
    gated(ExecutionOutputStore, "ExecutionOutputStore", gate),
    gated(IdempotencyStore, "IdempotencyStore", gate),
    gated(InstanceStore, "InstanceStore", gate),
    gated(Journal, "Journal", gate),
    gated(AdmissionStore, "AdmissionStore", gate),
    gated(QueueStore, "QueueStore", gate),
    gated(SagaStore, "SagaStore", gate),
    storage(gate),
    wakeups(gate, random, chaos),
    engine(gate, random, chaos)
  )
