/** The reference host: core over an embedded database or PostgreSQL, with the process runtime, behind the whole API. */
import { hostname } from "node:os"
import { resolve } from "node:path"
import { geteuid } from "node:process"
import { AuthOptions, authDefaults } from "@fairlead/core/auth/AuthOptions"
import { EventSource } from "@fairlead/core/events/EventFactory"
import { AdmissionPolicy } from "@fairlead/core/executions/AdmissionPolicy"
import { InstanceUrl } from "@fairlead/core/executions/ScriptVariables"
import * as Fairlead from "@fairlead/core/Fairlead"
import { HealthSettings } from "@fairlead/core/health/HealthSettings"
import { QueuePolicy } from "@fairlead/core/queue/QueuePolicy"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import type { Stores } from "@fairlead/core/Stores"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import * as AesSecrets from "@fairlead/crypto/AesSecrets"
import * as Argon2PasswordHasher from "@fairlead/crypto/Argon2PasswordHasher"
import * as JoseAccessTokens from "@fairlead/crypto/JoseAccessTokens"
import { version } from "@fairlead/http/api/Version"
import { defaultSettings, HttpSettings } from "@fairlead/http/server/HttpSettings"
import { SseSettings } from "@fairlead/http/server/sse/SseConnections"
import type { DatabaseUnsuitable } from "@fairlead/postgres/DatabaseUnsuitable"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import type { DataDirectoryLocked } from "@fairlead/postgres/pglite/DirectoryLock"
import * as PgliteStorage from "@fairlead/postgres/pglite/PgliteStorage"
import * as ProcessRuntime from "@fairlead/process/ProcessRuntime"
import { Effect, Layer, Option, Result, Schema } from "effect"
import { IpNetwork, NetAddress } from "effect/net"
import { freeUids } from "./freeUids.ts"
import { ConfigurationInvalid, type HostConfig, isLoopback } from "./HostConfig.ts"
import type { Keys } from "./Keys.ts"
import { limitPolicy } from "./limitPolicy.ts"

/** What core stands on in this host: every store, and the runtimes. */
export const ports = (config: HostConfig) => runtimes(config).pipe(Layer.provideMerge(storage(config)))

/** Every service that the API needs. Another instance may wrap the ports before core stands on them. */
export const layer = (config: HostConfig, keys: Keys, on: ReturnType<typeof ports> = ports(config)) => {
  const instanceName = Option.getOrElse(config.FAIRLEAD_INSTANCE_NAME, hostname)
  const core = Fairlead.layer({
    instanceName,
    maxRunning: config.FAIRLEAD_MAX_RUNNING,
    version,
    nodeTimeoutMillis: config.FAIRLEAD_NODE_TIMEOUT_SECONDS * 1000,
    retentionDays: config.FAIRLEAD_RETENTION_DAYS,
    secret: keys.jwtSecret
  })
  const [current] = keys.encryptionKeys
  const crypto = Layer.mergeAll(
    Argon2PasswordHasher.layer(),
    JoseAccessTokens.layer({ secret: keys.jwtSecret, issuer: "fairlead" }),
    AesSecrets.layer({ keys: keys.encryptionKeys, current: current.id })
  )
  return core.pipe(Layer.provideMerge(on), Layer.provide(crypto), Layer.provide(policies(config)))
}

const storage = ({
  DATABASE_URL,
  FAIRLEAD_DATA_DIR
}: HostConfig): Layer.Layer<Stores, DatabaseUnsuitable | DataDirectoryLocked | StorageError> =>
  Option.isSome(DATABASE_URL)
    ? PostgresStorage.layer({ url: DATABASE_URL.value })
    : PgliteStorage.layer({ directory: resolve(FAIRLEAD_DATA_DIR, "database") })

/** Registered before the executors start, because an executor may find work at once. */
const runtimes = (config: HostConfig) => {
  const dataDir = resolve(config.FAIRLEAD_DATA_DIR)
  const process = Layer.unwrap(
    Effect.map(uids(config), (range) =>
      ProcessRuntime.layer({
        directory: resolve(dataDir, "jobs"),
        hidden: [dataDir],
        diskReserveBytes: config.FAIRLEAD_DISK_RESERVE_MB * mebibyte,
        outputRateBytes: config.FAIRLEAD_OUTPUT_RATE_MB * mebibyte,
        unsafeScriptsAsHostUser: config.FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER === "on",
        shared: config.FAIRLEAD_SHARED_DIRECTORIES,
        python: python(config),
        ...(range === undefined ? {} : { uids: range })
      })
    )
  )
  return (config.FAIRLEAD_PROCESS_RUNTIME === "on" ? process : Layer.empty).pipe(
    Layer.provideMerge(ScriptRuntimes.layer)
  )
}

const python = ({ FAIRLEAD_PROCESS_PYTHON, FAIRLEAD_PROCESS_PYTHON_ISOLATION }: HostConfig) => ({
  isolated: FAIRLEAD_PROCESS_PYTHON_ISOLATION === "on",
  ...(Option.isSome(FAIRLEAD_PROCESS_PYTHON) ? { interpreter: FAIRLEAD_PROCESS_PYTHON.value } : {})
})

const Range = Schema.String.check(Schema.isPattern(/^\d{1,10}-\d{1,10}$/))
const mostUids = 1_000

/** An instance that is root must not run scripts as root. */
const uids = Effect.fnUntraced(function* ({ FAIRLEAD_PROCESS_UIDS }: HostConfig) {
  if (Option.isNone(FAIRLEAD_PROCESS_UIDS)) return geteuid?.() === 0 ? freeUids.host : undefined
  const text = FAIRLEAD_PROCESS_UIDS.value
  const [first = 0, last = 0] = text.split("-").map(Number)
  if (Schema.is(Range)(text) && first > 0 && last >= first && last - first < mostUids)
    return { first, count: last - first + 1 }
  return yield* new ConfigurationInvalid({
    problems: [`FAIRLEAD_PROCESS_UIDS is not valid: give a range of at most ${mostUids} such as 60770-61183.`]
  })
})

const mebibyte = 1024 ** 2

const policies = (config: HostConfig) =>
  Layer.mergeAll(
    Layer.succeed(AdmissionPolicy, {
      limits: limitPolicy(config),
      bounds: {
        maxActive: config.FAIRLEAD_MAX_ACTIVE,
        maxActivePerUser: config.FAIRLEAD_MAX_ACTIVE_PER_USER,
        maxPlanned: config.FAIRLEAD_MAX_PLANNED,
        maxPlannedPerUser: config.FAIRLEAD_MAX_PLANNED_PER_USER
      },
      maxStoredOutputBytesPerUser: config.FAIRLEAD_MAX_STORED_OUTPUT_MB_PER_USER * mebibyte
    }),
    Layer.succeed(QueuePolicy, {
      limits: {
        perUser: Option.getOrUndefined(config.FAIRLEAD_MAX_RUNNING_PER_USER),
        perRuntime: Object.fromEntries(
          config.FAIRLEAD_MAX_RUNNING_PER_RUNTIME.map(([runtime, , most]) => [runtime, most])
        )
      },
      ageingMillis: config.FAIRLEAD_QUEUE_AGEING_SECONDS * 1000,
      ttlMillis: config.FAIRLEAD_QUEUE_TTL_SECONDS * 1000
    }),
    Layer.succeed(AuthOptions, {
      ...authDefaults,
      sessionsPerUser: config.FAIRLEAD_MAX_SESSIONS_PER_USER,
      registration: registration(config),
      registrationsPerAddress: config.FAIRLEAD_MAX_REGISTRATIONS_PER_HOUR
    }),
    Layer.succeed(InstanceUrl, instanceUrl(config)),
    Layer.succeed(HealthSettings, { maxConcurrentExecutions: config.FAIRLEAD_MAX_RUNNING }),
    Layer.succeed(EventSource, {
      serviceName: "fairlead",
      serviceVersion: version,
      environment: config.FAIRLEAD_ENVIRONMENT
    })
  )

/** Port 0 is known only once the instance listens. */
const instanceUrl = ({ FAIRLEAD_HOST, FAIRLEAD_PORT, FAIRLEAD_URL }: HostConfig) => {
  if (Option.isSome(FAIRLEAD_URL)) return FAIRLEAD_URL.value
  if (FAIRLEAD_PORT === 0) return undefined
  const host = FAIRLEAD_HOST === "0.0.0.0" || FAIRLEAD_HOST === "::" ? "127.0.0.1" : FAIRLEAD_HOST
  return `http://${host.includes(":") ? `[${host}]` : host}:${FAIRLEAD_PORT}`
}

/** An instance that others can reach must be told that strangers are welcome. */
export const registration = (config: HostConfig) => {
  const { FAIRLEAD_HOST, FAIRLEAD_REGISTRATION, FAIRLEAD_TRUSTED_PROXIES } = config
  if (FAIRLEAD_REGISTRATION !== "auto") return FAIRLEAD_REGISTRATION
  return isLoopback(FAIRLEAD_HOST) && FAIRLEAD_TRUSTED_PROXIES.length === 0 ? "open" : "closed"
}

const trustedProxies = (config: HostConfig) =>
  Effect.forEach(config.FAIRLEAD_TRUSTED_PROXIES, (text) => {
    const network = IpNetwork.fromString(text)
    return Result.isSuccess(network)
      ? Effect.succeed(network.success)
      : new ConfigurationInvalid({
          problems: [`FAIRLEAD_TRUSTED_PROXIES: ${text} is not a network such as 10.0.0.0/8.`]
        })
  })

/** What the server allows its connections. Proxies of ours carry those of many. */
export const connectionLimits = (config: HostConfig) =>
  Effect.map(trustedProxies(config), (proxies) => ({
    keepAliveMillis: config.FAIRLEAD_KEEP_ALIVE_SECONDS * 1000,
    maxConnections: config.FAIRLEAD_MAX_CONNECTIONS,
    maxConnectionsPerAddress: config.FAIRLEAD_MAX_CONNECTIONS_PER_ADDRESS,
    stalledMillis: config.FAIRLEAD_STALLED_SECONDS * 1000,
    isExempt: (text: string) =>
      Result.match(NetAddress.ipFromString(text.replace(/^::ffff:(?=\d+\.)/, "")), {
        onFailure: () => false,
        onSuccess: (address) => proxies.some((proxy) => IpNetwork.contains(proxy, address))
      })
  }))

/** How the HTTP side behaves. */
export const httpSettings = Effect.fnUntraced(function* (config: HostConfig) {
  const streams = yield* SseSettings
  const http = Layer.succeed(HttpSettings, {
    ...defaultSettings,
    trustedProxies: yield* trustedProxies(config),
    allowedHosts: [config.FAIRLEAD_HOST, ...config.FAIRLEAD_ALLOWED_HOSTS].map((name) => name.toLowerCase()),
    allowedOrigins: config.FAIRLEAD_CORS_ORIGINS,
    authMode: config.FAIRLEAD_AUTH_MODE,
    secureCookies: config.FAIRLEAD_SECURE_COOKIES,
    publicPath: Option.getOrElse(config.FAIRLEAD_PUBLIC_PATH, () => ""),
    cookieSuffix: Option.getOrUndefined(config.FAIRLEAD_COOKIE_SUFFIX),
    metricsAccess: config.FAIRLEAD_METRICS,
    docs: config.FAIRLEAD_DOCS === "on",
    limits: {
      ...defaultSettings.limits,
      deadlineMillis: config.FAIRLEAD_REQUEST_SECONDS * 1000,
      stalledMillis: config.FAIRLEAD_STALLED_SECONDS * 1000,
      longAnswers: { perKey: config.FAIRLEAD_MAX_LONG_ANSWERS_PER_USER, total: config.FAIRLEAD_MAX_LONG_ANSWERS },
      heldRequests: { perKey: config.FAIRLEAD_MAX_HELD_REQUESTS_PER_USER, total: config.FAIRLEAD_MAX_HELD_REQUESTS },
      bodyBytes: {
        perKey: config.FAIRLEAD_MAX_BODY_MB_PER_USER * mebibyte,
        total: config.FAIRLEAD_MAX_BODY_MB * mebibyte
      }
    }
  })
  return Layer.merge(
    http,
    Layer.succeed(SseSettings, {
      ...streams,
      maxConnections: config.FAIRLEAD_MAX_STREAMS,
      maxConnectionsPerUser: config.FAIRLEAD_MAX_STREAMS_PER_USER
    })
  )
})
