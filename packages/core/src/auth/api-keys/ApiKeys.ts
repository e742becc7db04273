/** Use cases on API keys. A key acts as its owner, with the owner's grants of the moment. */
import { Context, type Effect, type Redacted } from "effect"
import type { StorageError } from "../../storage/StorageError.ts"
import type { ApiKeyNotFound, ApiKeysExhausted, TokenRejected } from "../AuthError.ts"
import type { Principal } from "../Principal.ts"
import type { ApiKey } from "./ApiKey.ts"
import type { ApiKeyId } from "./ApiKeyId.ts"

export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    /** `key` is shown this once. `expiresInDays` is 1 to 3,650; without it the key does not expire. A user holds at most 50. */
    create(
      caller: Principal,
      request: { readonly name: string; readonly expiresInDays?: number | undefined }
    ): Effect.Effect<{ readonly apiKey: ApiKey; readonly key: Redacted.Redacted }, ApiKeysExhausted | StorageError>
    /** The caller's keys, newest first; at most 50. */
    list(caller: Principal): Effect.Effect<ReadonlyArray<ApiKey>, StorageError>
    /** Ends the key at once on every host. */
    revoke(caller: Principal, id: ApiKeyId): Effect.Effect<void, ApiKeyNotFound | StorageError>
    authenticate(key: Redacted.Redacted): Effect.Effect<Principal, TokenRejected | StorageError>
  }
>()("@fairlead/core/auth/api-keys/ApiKeys") {}
