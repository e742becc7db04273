/** Whether this host can do its work, asked of each thing that it depends on. */
import { Clock, Context, Duration, Effect, Layer, Ref } from "effect"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import { SagaEngine } from "../sagas/SagaEngine.ts"
import { Storage } from "../storage/Storage.ts"

export interface ComponentHealth {
  readonly name: string
  readonly healthy: boolean
  /** What was asked and answered, for an operator; no secrets. */
  readonly detail: string
  readonly responseTimeMillis: number
}

export interface Readiness {
  /** True when every component is healthy and the host is not draining. */
  readonly ready: boolean
  readonly draining: boolean
  /** What an acknowledged write survives: a killed process, or also a power cut. */
  readonly durability: "process" | "disk" | "none"
  readonly components: ReadonlyArray<ComponentHealth>
}

export class Health extends Context.Service<
  Health,
  {
    readonly uptimeSeconds: Effect.Effect<number>
    /** Asks every component, each for at most 2 s; never fails. Callers within the same second share one answer. */
    readonly readiness: Effect.Effect<Readiness>
    /** From now on `readiness` says not ready, so that balancers look elsewhere. */
    readonly drain: Effect.Effect<void>
  }
>()("@fairlead/core/health/Health") {
  /** `database` is the store, `worker_queue` what delivers sagas, and each runtime is a component of its kind's name. */
  static readonly layer = Layer.effect(
    Health,
    Effect.gen(function* () {
      const storage = yield* Storage
      const engine = yield* SagaEngine
      const runtimes = yield* ScriptRuntimes
      const startedMillis = yield* Clock.currentTimeMillis
      const draining = yield* Ref.make(false)

      const components = Effect.gen(function* () {
        const known = yield* runtimes.all
        return yield* Effect.all(
          [
            asked("database", storage.check, `answers; durability ${storage.durability}`),
            asked("worker_queue", engine.check, "delivers"),
            ...known.map((runtime) =>
              asked(`runtime_${runtime.kind}`, runtime.list, `answers; ${runtime.languages.length} languages`)
            )
          ],
          { concurrency: 8 }
        )
      })
      /** Probes are public: however many ask, the store is asked once a second. */
      const shared = yield* Effect.cachedWithTTL(components, Duration.seconds(1))

      return Health.of({
        uptimeSeconds: Effect.map(Clock.currentTimeMillis, (now) => (now - startedMillis) / 1000),
        readiness: Effect.gen(function* () {
          const answered = yield* shared
          const isDraining = yield* Ref.get(draining)
          return {
            ready: !isDraining && answered.every(({ healthy }) => healthy),
            draining: isDraining,
            durability: storage.durability,
            components: answered
          }
        }),
        drain: Ref.set(draining, true)
      })
    })
  )
}

/** Names of failures only: what a driver says may hold addresses and passwords. */
const asked = <A, E extends { readonly _tag: string }>(
  name: string,
  check: Effect.Effect<A, E>,
  answer: string
): Effect.Effect<ComponentHealth> =>
  Effect.gen(function* () {
    const startedMillis = yield* Clock.currentTimeMillis
    const detail = yield* check.pipe(
      Effect.as(undefined),
      Effect.timeoutOrElse({ duration: "2 seconds", orElse: () => Effect.succeed("no answer within 2 s") }),
      Effect.catch((error) => Effect.as(Effect.logWarning(`${name} is unhealthy`, error), `failed: ${error._tag}`)),
      Effect.catchDefect((defect) => Effect.as(Effect.logError(`${name} is unhealthy`, defect), "failed by a defect"))
    )
    const responseTimeMillis = (yield* Clock.currentTimeMillis) - startedMillis
    return { name, healthy: detail === undefined, detail: detail ?? answer, responseTimeMillis }
  })
