/** Whether this instance can do its work, asked of each thing that it depends on. */
import { Clock, Context, Data, Duration, Effect, Fiber, Layer, Option, Ref } from "effect"
import type { RuntimeObstacle, ScriptRuntime } from "../runtime/ScriptRuntime.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import { SagaEngine } from "../sagas/SagaEngine.ts"
import { Storage } from "../storage/Storage.ts"
import { type StorageCondition, StorageError } from "../storage/StorageError.ts"

export interface ComponentHealth {
  readonly name: string
  readonly healthy: boolean
  /** What was asked and answered, for an operator; no secrets. */
  readonly detail: string
  readonly responseTimeMillis: number
}

export interface Readiness {
  /** True when every component is healthy and the instance is not draining. */
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
      const asked = asking()

      const components = Effect.gen(function* () {
        const known = yield* runtimes.all
        return yield* Effect.all(
          [
            asked("database", storage.check, `takes writes; durability ${storage.durability}`),
            asked("worker_queue", engine.check, "delivers"),
            ...known.map((runtime) =>
              asked(
                `runtime_${runtime.kind}`,
                Effect.andThen(runtime.list, unobstructed(runtime)),
                `answers; ${runtime.languages.length} languages`
              )
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

class RuntimeObstructed extends Data.TaggedError("RuntimeObstructed")<{ readonly obstacle: RuntimeObstacle }> {}

const unobstructed = ({ obstacle = Effect.undefined }: ScriptRuntime) =>
  Effect.flatMap(obstacle, (found) =>
    found === undefined ? Effect.void : Effect.fail(new RuntimeObstructed({ obstacle: found }))
  )

const noAnswer = "no answer within 2 s"

/** Names of failures only: what an executor says may hold addresses and passwords. */
const conditions = {
  "read-only": "refuses writes: it is read-only",
  full: "refuses writes: its disk is full",
  unreachable: "cannot be reached"
} satisfies Record<StorageCondition, string>
const obstacles = {
  disk: "starts no script: less of its disk is free than is kept in reserve; scripts wait, and start again by themselves"
} satisfies Record<RuntimeObstacle, string>
const detailOf = (error: { readonly _tag: string }) =>
  error instanceof RuntimeObstructed
    ? obstacles[error.obstacle]
    : error instanceof StorageError && error.condition !== undefined
      ? conditions[error.condition]
      : `failed: ${error._tag}`

/** One that does not answer is not waited for, and not asked again until that call has ended: a frozen store lets nothing be interrupted. */
const asking = () => {
  const unanswered = new Set<string>()

  const detail = Effect.fnUntraced(function* <A, E extends { readonly _tag: string }>(
    name: string,
    check: Effect.Effect<A, E>
  ) {
    if (unanswered.has(name)) return noAnswer
    unanswered.add(name)
    const call = yield* check.pipe(
      Effect.as(undefined),
      Effect.catch((error) => Effect.as(Effect.logWarning(`${name} is unhealthy`, error), detailOf(error))),
      Effect.catchDefect((defect) => Effect.as(Effect.logError(`${name} is unhealthy`, defect), "failed by a defect")),
      Effect.ensuring(Effect.sync(() => unanswered.delete(name))),
      Effect.forkDetach
    )
    const answered = yield* Effect.timeoutOption(Fiber.join(call), "2 seconds")
    if (Option.isSome(answered)) return answered.value
    call.interruptUnsafe()
    return noAnswer
  })

  return Effect.fnUntraced(function* <A, E extends { readonly _tag: string }>(
    name: string,
    check: Effect.Effect<A, E>,
    answer: string
  ) {
    const startedMillis = yield* Clock.currentTimeMillis
    const found = yield* detail(name, check)
    const responseTimeMillis = (yield* Clock.currentTimeMillis) - startedMillis
    const health: ComponentHealth = { name, healthy: found === undefined, detail: found ?? answer, responseTimeMillis }
    return health
  })
}
