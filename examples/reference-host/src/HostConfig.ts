/** Everything the instance reads from its environment, in one table: it parses, it validates, and it is the documentation. */
import { Config, Effect, Option, Result, Schema, Struct } from "effect"
import { identitySettings } from "./settings/IdentitySettings.ts"
import { limitSettings } from "./settings/LimitSettings.ts"
import { operationSettings } from "./settings/OperationSettings.ts"
import { requestSettings } from "./settings/RequestSettings.ts"
import { scriptSettings } from "./settings/ScriptSettings.ts"
import { serverSettings } from "./settings/ServerSettings.ts"
import type { Setting } from "./settings/Setting.ts"
import { webSettings } from "./settings/WebSettings.ts"

/** By the name of the variable, in the order of the documentation. */
export const settings = {
  ...serverSettings,
  ...identitySettings,
  ...scriptSettings,
  ...limitSettings,
  ...webSettings,
  ...requestSettings,
  ...operationSettings
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

/** Why the instance does not start: each line names a variable and what is expected of it. Never a value: it may be secret. */
export class ConfigurationInvalid extends Schema.TaggedError<ConfigurationInvalid>()("ConfigurationInvalid", {
  problems: Schema.Array(Schema.String)
}) {}

/** Variables of earlier versions. One that is set would otherwise be passed over in silence. */
const renamed = {
  FAIRLEAD_HOST_NAME: "FAIRLEAD_INSTANCE_NAME",
  FAIRLEAD_HOST_GONE_SECONDS: "FAIRLEAD_NODE_TIMEOUT_SECONDS"
}

/** Reads the environment; fails with every problem at once. */
export const load: Effect.Effect<HostConfig, ConfigurationInvalid> = Effect.gen(function* () {
  const checked = yield* Effect.forEach(Object.entries(settings), ([name, { about, config }]) =>
    Effect.map(
      Effect.result<unknown, Config.ConfigError, never>(config),
      Result.match({ onFailure: () => [`${name} is not valid. ${about}`], onSuccess: () => [] })
    )
  )
  const stale = yield* Effect.forEach(Object.entries(renamed), ([before, now]) =>
    Effect.map(Effect.orDie(Config.option(Config.String(before))), (found) =>
      Option.isSome(found) ? [`${before} is called ${now} now.`] : []
    )
  )
  const problems = [...stale, ...checked].flat()
  if (problems.length > 0) return yield* new ConfigurationInvalid({ problems })
  const config = yield* Effect.orDie(all)
  if (config.FAIRLEAD_AUTH_MODE === "disabled" && !isLoopback(config.FAIRLEAD_HOST))
    return yield* new ConfigurationInvalid({ problems: [authenticationNeeded] })
  return config
})

/** Only programs of this machine can reach it. */
export const isLoopback = (host: string) => /^(localhost|::1|127(\.\d{1,3}){3})$/i.test(host)
const authenticationNeeded =
  "FAIRLEAD_AUTH_MODE is disabled, which asks for a loopback address: set FAIRLEAD_HOST to 127.0.0.1 or ::1 or localhost, or FAIRLEAD_AUTH_MODE to required."
