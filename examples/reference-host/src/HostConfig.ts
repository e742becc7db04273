/** Everything the host reads from its environment, in one table: it parses, it validates, and it is the documentation. */
import { authDefaults } from "@fairlead/core/auth/AuthOptions"
import { RuntimeKind } from "@fairlead/core/runtime/Job"
import { Config, Effect, type Option, type Redacted, Result, Schema, Struct } from "effect"

interface Setting<A> {
  readonly config: Config.Config<A>
  readonly about: string
  /** What applies when the variable is not set, in words. */
  readonly standard: string
}

const setting = <A>(config: Config.Config<A>, standard: string, about: string): Setting<A> => ({
  config,
  standard,
  about
})

const between = (minimum: number, maximum: number) =>
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum }))

const integer = (name: string, range: readonly [number, number], standard: number, about: string) =>
  setting(
    Config.schema(between(...range), name).pipe(Config.withDefault(standard)),
    `${standard}`,
    `${about} ${range[0]} to ${range[1]}.`
  )

const optionalInteger = (name: string, range: readonly [number, number], about: string) =>
  setting(Config.option(Config.schema(between(...range), name)), "no limit", `${about} ${range[0]} to ${range[1]}.`)

/** `process=100`. */
const RuntimeLimit = Schema.TemplateLiteralParser([
  RuntimeKind,
  "=",
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 100_000 }))
])

const choice = <const L extends ReadonlyArray<string>>(
  name: string,
  choices: L,
  standard: L[number],
  about: string
): Setting<L[number]> =>
  setting(
    Config.Literals(choices, name).pipe(Config.withDefault(standard)),
    standard,
    `${about} One of ${choices.join(", ")}.`
  )

const onOff = (name: string, standard: "on" | "off", about: string) => choice(name, ["on", "off"], standard, about)

const text = (name: string, standard: string, about: string) =>
  setting(Config.NonEmptyString(name).pipe(Config.withDefault(standard)), standard, about)

const optional = (name: string, standard: string, about: string) =>
  setting(Config.option(Config.NonEmptyString(name)), standard, about)

const secret = (name: string, standard: string, about: string): Setting<Option.Option<Redacted.Redacted>> =>
  setting(Config.option(Config.Redacted(name)), standard, about)

const list = (name: string, about: string) =>
  setting(
    Config.Array(Schema.NonEmptyString, name).pipe(Config.withDefault([])),
    "none",
    `${about} Separated by commas.`
  )

/** By the name of the variable, in the order of the documentation. */
export const settings = {
  FAIRLEAD_HOST: text("FAIRLEAD_HOST", "127.0.0.1", "Address to listen on. `0.0.0.0` for every interface."),
  FAIRLEAD_PORT: integer("FAIRLEAD_PORT", [0, 65_535], 8080, "Port to listen on; 0 takes a free one."),
  FAIRLEAD_DATA_DIR: text(
    "FAIRLEAD_DATA_DIR",
    "./data",
    "Folder of the embedded database, the keys and the jobs of the process runtime."
  ),
  DATABASE_URL: secret(
    "DATABASE_URL",
    "embedded database",
    "A PostgreSQL server to use instead of the embedded database: `postgres://user:password@host:5432/database`."
  ),
  FAIRLEAD_HOST_NAME: optional(
    "FAIRLEAD_HOST_NAME",
    "the machine's name",
    "Name of this host in sagas and jobs; unique among hosts that share a database."
  ),
  FAIRLEAD_ADMIN_USERNAME: text(
    "FAIRLEAD_ADMIN_USERNAME",
    "admin",
    "Username of the first administrator, made when no such user exists."
  ),
  FAIRLEAD_ADMIN_PASSWORD: secret(
    "FAIRLEAD_ADMIN_PASSWORD",
    "generated, shown once",
    "Password of the first administrator."
  ),
  FAIRLEAD_ADMIN_EMAIL: text("FAIRLEAD_ADMIN_EMAIL", "admin@localhost", "E-mail address of the first administrator."),
  FAIRLEAD_JWT_SECRET: secret(
    "FAIRLEAD_JWT_SECRET",
    "generated, kept in the data folder",
    "Signs sessions; at least 32 bytes. Hosts that share a database share it."
  ),
  FAIRLEAD_ENCRYPTION_KEYS: secret(
    "FAIRLEAD_ENCRYPTION_KEYS",
    "generated, kept in the data folder",
    "Encrypts secrets at rest: `id:base64` of 32 bytes, the current one first, older ones after it, separated by commas."
  ),
  FAIRLEAD_MAX_SESSIONS_PER_USER: integer(
    "FAIRLEAD_MAX_SESSIONS_PER_USER",
    [1, 10_000],
    authDefaults.sessionsPerUser,
    "Sessions of one user at once; a login beyond them ends the oldest."
  ),
  FAIRLEAD_PROCESS_RUNTIME: onOff(
    "FAIRLEAD_PROCESS_RUNTIME",
    "off",
    "Whether scripts may run as processes of this machine. `npm start` switches it on."
  ),
  FAIRLEAD_PROCESS_UIDS: optional(
    "FAIRLEAD_PROCESS_UIDS",
    "61000-61511 for root, otherwise none",
    "User ids under which scripts run when the host is root, `first-last`, one for each script at a time."
  ),
  FAIRLEAD_MAX_RUNNING: integer(
    "FAIRLEAD_MAX_RUNNING",
    [1, 500],
    32,
    "Scripts that run at once on this machine; the others wait."
  ),
  FAIRLEAD_MAX_RUNNING_PER_USER: optionalInteger(
    "FAIRLEAD_MAX_RUNNING_PER_USER",
    [1, 100_000],
    "Scripts of one user that run at once, on all hosts together; the others wait."
  ),
  FAIRLEAD_MAX_RUNNING_PER_RUNTIME: setting(
    Config.Array(RuntimeLimit, "FAIRLEAD_MAX_RUNNING_PER_RUNTIME").pipe(Config.withDefault([])),
    "no limit",
    "Scripts of one kind of runtime that run at once, on all hosts together: `process=100`. Separated by commas."
  ),
  FAIRLEAD_QUEUE_TTL_SECONDS: integer(
    "FAIRLEAD_QUEUE_TTL_SECONDS",
    [1, 604_800],
    86_400,
    "Longest wait for a start of an execution that names none; then it ends as `timeout`."
  ),
  FAIRLEAD_QUEUE_AGEING_SECONDS: integer(
    "FAIRLEAD_QUEUE_AGEING_SECONDS",
    [0, 86_400],
    60,
    "Waiting time that one step of priority is worth; hosts that share a database use the same."
  ),
  FAIRLEAD_HOST_GONE_SECONDS: integer(
    "FAIRLEAD_HOST_GONE_SECONDS",
    [20, 3_600],
    45,
    "How long the machine of a script may be without a host before the script is given up as lost by the others."
  ),
  FAIRLEAD_RETENTION_DAYS: integer(
    "FAIRLEAD_RETENTION_DAYS",
    [0, 36_500],
    0,
    "Days after its end on which an execution is removed with output, result and sagas; its events stay. 0 keeps it for ever."
  ),
  FAIRLEAD_MAX_ACTIVE: integer(
    "FAIRLEAD_MAX_ACTIVE",
    [1, 1_000_000],
    10_000,
    "Executions accepted and not ended, of everybody; more are refused with 429."
  ),
  FAIRLEAD_MAX_ACTIVE_PER_USER: integer("FAIRLEAD_MAX_ACTIVE_PER_USER", [1, 1_000_000], 1_000, "The same of one user."),
  FAIRLEAD_DEFAULT_TIMEOUT_SECONDS: integer(
    "FAIRLEAD_DEFAULT_TIMEOUT_SECONDS",
    [1, 86_400],
    300,
    "Timeout of an execution that names none."
  ),
  FAIRLEAD_MAX_TIMEOUT_SECONDS: integer(
    "FAIRLEAD_MAX_TIMEOUT_SECONDS",
    [1, 86_400],
    3_600,
    "Longest timeout that an execution may ask for."
  ),
  FAIRLEAD_DEFAULT_MEMORY_MB: integer(
    "FAIRLEAD_DEFAULT_MEMORY_MB",
    [4, 65_536],
    256,
    "Memory of an execution that names none, in MiB."
  ),
  FAIRLEAD_MAX_MEMORY_MB: integer(
    "FAIRLEAD_MAX_MEMORY_MB",
    [4, 65_536],
    4_096,
    "Most memory that an execution may ask for, in MiB."
  ),
  FAIRLEAD_AUTH_MODE: choice(
    "FAIRLEAD_AUTH_MODE",
    ["required", "optional", "disabled"],
    "required",
    "Calls without a credential: refused; or they may read the health report; or, from this machine only, do what an administrator may. `disabled` asks for a loopback address in `FAIRLEAD_HOST`."
  ),
  FAIRLEAD_CORS_ORIGINS: list(
    "FAIRLEAD_CORS_ORIGINS",
    "Origins of other sites whose pages may call this API with credentials."
  ),
  FAIRLEAD_TRUSTED_PROXIES: list(
    "FAIRLEAD_TRUSTED_PROXIES",
    "Networks of proxies whose `X-Forwarded-*` headers are believed, for example `10.0.0.0/8`."
  ),
  FAIRLEAD_SECURE_COOKIES: choice(
    "FAIRLEAD_SECURE_COOKIES",
    ["auto", "always"],
    "auto",
    "Whether cookies are always `Secure`, or only for requests over https."
  ),
  FAIRLEAD_METRICS: choice(
    "FAIRLEAD_METRICS",
    ["local", "permission", "public"],
    "local",
    "Who may read `/metrics`: callers on this machine or with `health:read`, only the latter, or everybody."
  ),
  FAIRLEAD_DOCS: onOff("FAIRLEAD_DOCS", "on", "Whether `/docs`, `/redoc` and `/openapi.json` are served."),
  FAIRLEAD_DRAIN_GRACE_SECONDS: integer(
    "FAIRLEAD_DRAIN_GRACE_SECONDS",
    [0, 300],
    3,
    "How long the host still accepts requests after SIGTERM, saying that it is not ready, until balancers have noticed: longer than they take for that."
  ),
  FAIRLEAD_DRAIN_SECONDS: integer(
    "FAIRLEAD_DRAIN_SECONDS",
    [0, 300],
    15,
    "How long requests in hand may take to finish after that. Scripts go on running; the next start finds them."
  ),
  FAIRLEAD_LOG_LEVEL: choice(
    "FAIRLEAD_LOG_LEVEL",
    ["Debug", "Info", "Warn", "Error"],
    "Info",
    "Least severe lines to log."
  ),
  FAIRLEAD_LOG_FORMAT: choice("FAIRLEAD_LOG_FORMAT", ["text", "json"], "text", "Form of log lines."),
  FAIRLEAD_ENVIRONMENT: choice(
    "FAIRLEAD_ENVIRONMENT",
    ["development", "staging", "production", "test"],
    "production",
    "Written into every event."
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "tracing off",
    "Where to send traces, over OTLP/HTTP as JSON."
  )
}

interface ConfigOf extends Struct.Lambda {
  <A>(setting: Setting<A>): Config.Config<A>
  readonly "~lambda.out": this["~lambda.in"] extends Setting<infer A> ? Config.Config<A> : never
}
const all = Config.all(
  Struct.map(
    settings,
    Struct.lambda<ConfigOf>(({ config }) => config)
  )
)

export type HostConfig = Config.Success<typeof all>

/** Why the host does not start: each line names a variable and what is expected of it. Never a value: it may be secret. */
export class ConfigurationInvalid extends Schema.TaggedError<ConfigurationInvalid>()("ConfigurationInvalid", {
  problems: Schema.Array(Schema.String)
}) {}

/** Reads the environment; fails with every problem at once. */
export const load: Effect.Effect<HostConfig, ConfigurationInvalid> = Effect.gen(function* () {
  const checked = yield* Effect.forEach(Object.entries(settings), ([name, { about, config }]) =>
    Effect.map(
      Effect.result<unknown, Config.ConfigError, never>(config),
      Result.match({ onFailure: () => [`${name} is not valid. ${about}`], onSuccess: () => [] })
    )
  )
  const problems = checked.flat()
  if (problems.length > 0) return yield* new ConfigurationInvalid({ problems })
  const config = yield* Effect.orDie(all)
  if (config.FAIRLEAD_AUTH_MODE === "disabled" && !isLoopback(config.FAIRLEAD_HOST))
    return yield* new ConfigurationInvalid({ problems: [authenticationNeeded] })
  return config
})

const isLoopback = (host: string) => /^(localhost|::1|127(\.\d{1,3}){3})$/i.test(host)
const authenticationNeeded =
  "FAIRLEAD_AUTH_MODE is disabled, which asks for a loopback address: set FAIRLEAD_HOST to 127.0.0.1 or ::1 or localhost, or FAIRLEAD_AUTH_MODE to required."
