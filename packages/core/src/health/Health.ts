/** Whether this host can do its work, asked of each thing that it depends on. */
import { Context, type Effect } from "effect"

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
    /** Asks every component, each for at most 2 s; never fails. */
    readonly readiness: Effect.Effect<Readiness>
    /** From now on `readiness` says not ready, so that balancers look elsewhere. */
    readonly drain: Effect.Effect<void>
  }
>()("@fairlead/core/health/Health") {}
