/**
 * Fairlead inside another service: an embedded database, scripts as processes of its machine, and the whole API as routes for
 * `NodeMount.start` or `WebMount.start`. A service that wants another database, other runtimes or a part of the API puts the
 * same layers together itself.
 */
import { join } from "node:path"
import * as Fairlead from "@fairlead/core/Fairlead"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as AesSecrets from "@fairlead/crypto/AesSecrets"
import * as Argon2PasswordHasher from "@fairlead/crypto/Argon2PasswordHasher"
import * as JoseAccessTokens from "@fairlead/crypto/JoseAccessTokens"
import * as NodeDocsAssets from "@fairlead/http/node/NodeDocsAssets"
import * as NodeProcessMetrics from "@fairlead/http/node/NodeProcessMetrics"
import { SseConnections } from "@fairlead/http/server/sse/SseConnections"
import * as WholeApi from "@fairlead/http/server/WholeApi"
import * as PgliteStorage from "@fairlead/postgres/pglite/PgliteStorage"
import * as ProcessRuntime from "@fairlead/process/ProcessRuntime"
import { Layer, Redacted } from "effect"

export interface EmbeddedOptions {
  /** Absolute; for the database and the jobs. */
  readonly dataDir: string
  /** At least 32 bytes, the same at every start. */
  readonly secret: string
  /** 32 bytes, the same at every start. */
  readonly encryptionKey: Uint8Array
}

/** The routes start the database and the drivers when they are mounted, and stop them with the mount. Scripts go on running. */
export const embedded = ({ dataDir, encryptionKey, secret }: EmbeddedOptions) => {
  const keys = Layer.mergeAll(
    Argon2PasswordHasher.layer(),
    JoseAccessTokens.layer({ secret: Redacted.make(secret), issuer: "my-service" }),
    AesSecrets.layer({ keys: [{ id: "k1", key: Redacted.make(encryptionKey) }], current: "k1" })
  )
  const core = Fairlead.layer({
    hostName: "my-service",
    maxRunning: 8,
    secret: Redacted.make(secret)
  }).pipe(
    Layer.provideMerge(ProcessRuntime.layer({ directory: join(dataDir, "jobs"), ...uids })),
    Layer.provideMerge(ScriptRuntimes.layer),
    Layer.provideMerge(PgliteStorage.layer({ directory: join(dataDir, "database") })),
    Layer.provide(keys)
  )
  return WholeApi.layer.pipe(
    Layer.provide(Layer.mergeAll(SseConnections.layer, NodeDocsAssets.layer, NodeProcessMetrics.layer)),
    Layer.provide(core)
  )
}

/** A service that is root gives each script a user of its own; any other runs scripts as itself. */
const uids = process.geteuid?.() === 0 ? { uids: { first: 62_000, count: 64 } } : {}
