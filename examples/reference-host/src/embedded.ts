/**
 * Fairlead inside another service: an embedded database, scripts as processes of its machine, and the whole API as routes for
 * `NodeMount.start` or `WebMount.start`. A service that wants another database, other runtimes or a part of the API puts the
 * same layers together itself.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { AuthOptions, authDefaults, type Registration } from "@fairlead/core/auth/AuthOptions"
import { Users } from "@fairlead/core/auth/users/Users"
import * as Fairlead from "@fairlead/core/Fairlead"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as AesSecrets from "@fairlead/crypto/AesSecrets"
import * as Argon2PasswordHasher from "@fairlead/crypto/Argon2PasswordHasher"
import * as JoseAccessTokens from "@fairlead/crypto/JoseAccessTokens"
import * as NodeDocsAssets from "@fairlead/http/node/NodeDocsAssets"
import * as NodeProcessMetrics from "@fairlead/http/node/NodeProcessMetrics"
import { defaultSettings, HttpSettings } from "@fairlead/http/server/HttpSettings"
import { SseConnections } from "@fairlead/http/server/sse/SseConnections"
import * as WholeApi from "@fairlead/http/server/WholeApi"
import * as PgliteStorage from "@fairlead/postgres/pglite/PgliteStorage"
import * as ProcessRuntime from "@fairlead/process/ProcessRuntime"
import { Effect, Layer, Redacted } from "effect"
import { freeUids } from "./freeUids.ts"

export interface EmbeddedOptions {
  /** Absolute; for the database and the jobs. Scripts cannot read it, but see `unsafeScriptsAsHostUser`. */
  readonly dataDir: string
  /** At least 32 bytes, the same at every start. */
  readonly secret: string
  /** 32 bytes, the same at every start. */
  readonly encryptionKey: Uint8Array
  /**
   * User ids for scripts, one for each that runs at a time, of which nobody else on the machine has one. Needs a service that is root.
   * Default for root: 60706 to 60769.
   */
  readonly uids?: { readonly first: number; readonly count: number } | undefined
  /**
   * Lets the scripts of a service that is not root run as its user: they may read and change what it may, `dataDir` too where namespaces
   * are not to be had (`/capabilities` says which). Without it such a service does not start.
   */
  readonly unsafeScriptsAsHostUser?: boolean | undefined
  /** The first administrator, made when there is no user of that name. Without one only users of before can log in. */
  readonly admin?: { readonly username: string; readonly email: string; readonly password: string } | undefined
  /** Whether people may register themselves. Default `closed`. */
  readonly registration?: Registration | undefined
  /** Names under which clients reach the service, besides addresses and `localhost`. */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
}

/** The routes start the database and the executors when they are mounted, and stop them with the mount. Scripts go on running. */
export const embedded = (options: EmbeddedOptions) => {
  const { admin, allowedHosts = [], dataDir, encryptionKey, registration = "closed", secret } = options
  const keys = Layer.mergeAll(
    Argon2PasswordHasher.layer(),
    JoseAccessTokens.layer({ secret: Redacted.make(secret), issuer: "my-service" }),
    AesSecrets.layer({ keys: [{ id: "k1", key: Redacted.make(encryptionKey) }], current: "k1" })
  )
  const core = Fairlead.layer({
    instanceName: "my-service",
    maxRunning: 8,
    secret: Redacted.make(secret)
  }).pipe(
    Layer.provideMerge(runtime(options)),
    Layer.provideMerge(ScriptRuntimes.layer),
    Layer.provideMerge(PgliteStorage.layer({ directory: join(dataDir, "database") })),
    Layer.provide(keys),
    Layer.provide(Layer.succeed(AuthOptions, { ...authDefaults, registration }))
  )
  const settings = Layer.succeed(HttpSettings, { ...defaultSettings, allowedHosts })
  return WholeApi.layer.pipe(
    Layer.provide(Layer.mergeAll(SseConnections.layer, NodeDocsAssets.layer, NodeProcessMetrics.layer, settings)),
    Layer.provide(admin === undefined ? Layer.empty : firstAdmin(admin)),
    Layer.provide(core)
  )
}

const firstAdmin = ({ password, ...user }: NonNullable<EmbeddedOptions["admin"]>) =>
  Layer.effectDiscard(
    Effect.flatMap(Users, (users) => users.ensure({ ...user, password: Redacted.make(password) }, "admin"))
  )

/** A service that is root gives each script a user of its own. Those users pass through the folder, and find everything in it closed. */
const runtime = ({
  dataDir,
  uids = isRoot ? freeUids.embedded : undefined,
  unsafeScriptsAsHostUser = false
}: EmbeddedOptions) =>
  Layer.unwrap(
    Effect.sync(() => {
      mkdirSync(dataDir, { recursive: true, mode: 0o711 })
      return ProcessRuntime.layer({
        directory: join(dataDir, "jobs"),
        hidden: [dataDir],
        diskReserveBytes: 256 * 1024 ** 2,
        unsafeScriptsAsHostUser,
        ...(uids === undefined ? {} : { uids })
      })
    })
  )
const isRoot = process.geteuid?.() === 0
