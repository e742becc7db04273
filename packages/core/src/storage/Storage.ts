/**
 * Port: the unit of work. A service decides, writes its rows and appends its events inside one `transaction`; what must
 * leave the process afterwards is read from the event log, never sent from inside.
 */
import { Context, Effect, Layer } from "effect"
import { MemoryDatabase } from "./MemoryDatabase.ts"
import type { StorageError } from "./StorageError.ts"

export class Storage extends Context.Service<
  Storage,
  {
    /**
     * Commits everything `work` wrote to any store, or nothing: failure, defect and interruption roll back.
     * A nested call is a savepoint of the outer one. Keep `work` short and free of other I/O; never fork in it.
     */
    transaction<A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R>
    /** What a committed write survives: nothing, a killed process, or also a power cut. */
    readonly durability: "none" | "process" | "disk"
    /** Passes when the store answers and is set up as it must be. */
    readonly check: Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/storage/Storage") {
  static readonly layerMemory = Layer.effect(
    Storage,
    Effect.map(MemoryDatabase, ({ transaction }) => Storage.of({ transaction, durability: "none", check: Effect.void }))
  )
}
