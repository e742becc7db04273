/** Use cases on sagas: list, look up, cancel. Driving them is `SagaDriver`'s business. */
import { Context, type Effect } from "effect"
import type { Principal } from "../auth/Principal.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Saga } from "./Saga.ts"
import type { SagaNotCancellable, SagaNotFound } from "./SagaError.ts"
import type { SagaId } from "./SagaId.ts"
import type { SagaFilter } from "./SagaStore.ts"

export class Sagas extends Context.Service<
  Sagas,
  {
    get(caller: Principal, id: SagaId): Effect.Effect<Saga, SagaNotFound | StorageError>
    /** Sagas the caller may see, newest first. */
    list(
      caller: Principal,
      filter: Omit<SagaFilter, "ownerId">
    ): Effect.Effect<{ readonly sagas: ReadonlyArray<Saga>; readonly total: number }, StorageError>
    /** Asks the saga to stop and undo what it did; returns when the request is recorded. Acts within 2 s, on any host. */
    cancel(
      caller: Principal,
      id: SagaId,
      reason: string
    ): Effect.Effect<void, SagaNotFound | SagaNotCancellable | StorageError>
  }
>()("@fairlead/core/sagas/Sagas") {}
