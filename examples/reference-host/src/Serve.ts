/** `fairlead serve`: starts the instance, shows where it listens, and runs until it is told to stop. */
import { geteuid } from "node:process"
import { Health } from "@fairlead/core/health/Health"
import * as NodeDocsAssets from "@fairlead/http/node/NodeDocsAssets"
import * as NodeHost from "@fairlead/http/node/NodeHost"
import * as NodeProcessMetrics from "@fairlead/http/node/NodeProcessMetrics"
import { SseConnections } from "@fairlead/http/server/sse/SseConnections"
import * as WholeApi from "@fairlead/http/server/WholeApi"
import { Console, Context, Effect, Layer, Option } from "effect"
import * as Admin from "./Admin.ts"
import * as Host from "./Host.ts"
import * as HostConfig from "./HostConfig.ts"
import * as Keys from "./Keys.ts"
import * as Observability from "./Observability.ts"

/** `host` makes the services that the API needs; another one may add to them. */
export const serve = Effect.fnUntraced(function* (host: typeof Host.layer = Host.layer) {
  const config = yield* HostConfig.load
  return yield* Effect.provide(listen(config, host), Observability.layer(config))
})

const listen = Effect.fnUntraced(function* (config: HostConfig.HostConfig, host: typeof Host.layer) {
  const keys = yield* Keys.load(config)
  const settings = yield* Host.httpSettings(config)
  const services = yield* Layer.build(Layer.provide(Layer.mergeAll(host(config, keys), SseConnections.layer), settings))
  const admin = yield* Effect.provideContext(Admin.ensure(config), services)
  const routes = WholeApi.layer.pipe(
    Layer.provide(Layer.mergeAll(NodeDocsAssets.layer, NodeProcessMetrics.layer, settings)),
    Layer.provide(Layer.succeedContext(services))
  )
  const listening = yield* NodeHost.serve(routes, {
    host: config.FAIRLEAD_HOST,
    port: config.FAIRLEAD_PORT,
    drainMillis: config.FAIRLEAD_DRAIN_SECONDS * 1000,
    ...(yield* Host.connectionLimits(config))
  })
  yield* Console.log(banner(listening.url, config, admin))
  const drain = Effect.gen(function* () {
    yield* Console.log("fairlead: draining; scripts go on running, the next start finds them")
    yield* Effect.andThen(Context.get(services, Health).drain, listening.drain)
    yield* Effect.sleep(config.FAIRLEAD_DRAIN_GRACE_SECONDS * 1000)
    // Streams are told to end, and the server waits for them as for all that is in hand.
    yield* Effect.forkScoped(Context.get(services, SseConnections).drain, { startImmediately: true })
  })
  return yield* Effect.onInterrupt(Effect.never, () => drain)
}, Effect.scoped)

const banner = (url: string, config: HostConfig.HostConfig, { generatedPassword, username }: Admin.FirstAdmin) =>
  [
    "",
    `  Fairlead listens on ${url}`,
    `  API documentation   ${url}/docs`,
    generatedPassword === undefined
      ? `  Log in as           ${username} (the password was set at the first start)`
      : `  Log in as           ${username} with the password ${generatedPassword} (shown only now)`,
    `  Registration        ${Host.registration(config) === "open" ? "open: whoever reaches this address may make an account" : "closed"}`,
    ...(runAsHostUser(config)
      ? ["  Scripts             unsafe: they run as the user of this host and may do with its files what it may"]
      : []),
    ...(config.FAIRLEAD_AUTH_MODE === "disabled"
      ? ["  Authentication      disabled: every program on this machine may do what an administrator may"]
      : []),
    ""
  ].join("\n")

const runAsHostUser = (config: HostConfig.HostConfig) =>
  config.FAIRLEAD_PROCESS_RUNTIME === "on" &&
  config.FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER === "on" &&
  Option.isNone(config.FAIRLEAD_PROCESS_UIDS) &&
  geteuid?.() !== 0
