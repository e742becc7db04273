/** Every contract of the auth areas' stores in one call. Each suite builds its own stores. */
import type { Stores } from "@fairlead/core/Stores"
import type { Layer } from "effect"
import * as ApiKeyStoreContract from "./ApiKeyStoreContract.ts"
import * as LoginAttemptStoreContract from "./LoginAttemptStoreContract.ts"
import * as SessionStoreContract from "./SessionStoreContract.ts"
import * as UserStoreContract from "./UserStoreContract.ts"

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void => {
  UserStoreContract.suite(name, stores)
  SessionStoreContract.suite(name, stores)
  ApiKeyStoreContract.suite(name, stores)
  LoginAttemptStoreContract.suite(name, stores)
}
