/**
 * A whole host in memory - the real API, handlers, sessions and sagas over memory stores - as the `fetch` of a client. Its scripts are the
 * stage directions of `ScriptedRuntime`.
 */

import { AuthOptions, authDefaults } from "@fairlead/core/auth/AuthOptions"
import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { AdmissionPolicy } from "@fairlead/core/executions/AdmissionPolicy"
import * as Fairlead from "@fairlead/core/Fairlead"
import type { QueueBounds } from "@fairlead/core/queue/QueueBounds"
import * as Stores from "@fairlead/core/Stores"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { AuthApi } from "@fairlead/http/api/auth/AuthApi"
import { EventsApi } from "@fairlead/http/api/events/EventsApi"
import { ExecutionsApi } from "@fairlead/http/api/executions/ExecutionsApi"
import { HealthApi } from "@fairlead/http/api/health/HealthApi"
import { InstancesApi } from "@fairlead/http/api/instances/InstancesApi"
import { QueueApi } from "@fairlead/http/api/queue/QueueApi"
import { SagasApi } from "@fairlead/http/api/sagas/SagasApi"
import * as NodeHost from "@fairlead/http/node/NodeHost"
import * as ApiLayer from "@fairlead/http/server/ApiLayer"
import { AuthHandlers } from "@fairlead/http/server/auth/AuthHandlers"
import { EventsHandlers } from "@fairlead/http/server/events/EventsHandlers"
import { ExecutionsHandlers } from "@fairlead/http/server/executions/ExecutionsHandlers"
import { HealthHandlers } from "@fairlead/http/server/health/HealthHandlers"
import { InstancesHandlers } from "@fairlead/http/server/instances/InstancesHandlers"
import { QueueHandlers } from "@fairlead/http/server/queue/QueueHandlers"
import { SagasHandlers } from "@fairlead/http/server/sagas/SagasHandlers"
import { SseConnections, SseSettings } from "@fairlead/http/server/sse/SseConnections"
import * as WebMount from "@fairlead/http/web/WebMount"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { HttpApi } from "effect/http-api"
import * as ScriptedRuntime from "../../../http/test/support/ScriptedRuntime.ts"
import { FairleadClient, FairleadError, type FairleadOptions, login } from "../../src/index.ts"

const api = HttpApi.make("fairlead")
  .add(AuthApi)
  .add(EventsApi)
  .add(ExecutionsApi)
  .add(HealthApi)
  .add(InstancesApi)
  .add(QueueApi)
  .add(SagasApi)
const handlers = Layer.mergeAll(
  AuthHandlers,
  EventsHandlers,
  ExecutionsHandlers,
  HealthHandlers,
  InstancesHandlers,
  QueueHandlers,
  SagasHandlers
)

export interface HostSettings {
  readonly admission?: Partial<QueueBounds>
  readonly auth?: Partial<typeof authDefaults>
  readonly streams?: Partial<Context.Service.Shape<typeof SseSettings>>
  /** Where it is mounted. */
  readonly prefix?: string
}

export interface TestHost {
  readonly fetch: (request: Request) => Promise<Response>
  /** Lets scripts go on that wait in `hold`. */
  readonly release: () => Promise<void>
  /** Serves the same over HTTP too, and answers with the address. */
  readonly listen: () => Promise<string>
  readonly stop: () => Promise<void>
}

/** The base URL that goes with `fetch`. */
export const baseUrl = "http://host.localhost"

export const startHost = async (settings: HostSettings = {}): Promise<TestHost> => {
  const scope = Scope.makeUnsafe()
  const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.runPromise(Scope.provide(effect, scope))
  const numbers = Layer.mergeAll(
    Layer.effect(
      AdmissionPolicy,
      Effect.map(AdmissionPolicy, (policy) => ({ ...policy, bounds: { ...policy.bounds, ...settings.admission } }))
    ),
    Layer.succeed(AuthOptions, { ...authDefaults, registration: "open", ...settings.auth }),
    Layer.effect(
      SseSettings,
      Effect.map(SseSettings, (defaults) => ({ ...defaults, ...settings.streams }))
    )
  )
  const ports = Layer.mergeAll(
    Stores.layerMemory,
    Secrets.layerMemory,
    PasswordHasher.layerMemory,
    AccessTokens.layerMemory,
    ScriptedRuntime.layer
  )
  const secret = Redacted.make("a secret of at least thirty-two bytes")
  const core = Fairlead.layer({ instanceName: "host-a", maxRunning: 10, secret })
  const services = Layer.merge(core, SseConnections.layer).pipe(Layer.provideMerge(ports), Layer.provideMerge(numbers))
  const context = await run(Layer.build(services))
  const routes = ApiLayer.layer({ api, aliases: {}, handlers }).pipe(Layer.provide(Layer.succeedContext(context)))
  return {
    fetch: await run(WebMount.make(routes, { prefix: settings.prefix })),
    release: () => Effect.runPromise(Context.get(context, ScriptedRuntime.Release)),
    listen: () => run(Effect.map(NodeHost.serve(routes, { port: 0, drainMillis: 100 }), ({ url }) => url)),
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

const password = "correct horse battery"

/** Registers a user of that name; the answer logs in. */
export const register = async (host: TestHost, username: string) => {
  await new FairleadClient({ baseUrl, fetch: host.fetch }).auth.register({
    username,
    email: `${username}@example.org`,
    password
  })
  return { username, password }
}

/** A client of a new user of that name. */
export const clientOf = async (host: TestHost, username: string, options: FairleadOptions = {}) =>
  new FairleadClient({ baseUrl, fetch: host.fetch, auth: login(await register(host, username)), ...options })

/** What the promise fails with; fails itself when it does not, or with anything else than our error. */
export const failureOf = async (promise: Promise<unknown>): Promise<FairleadError> => {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause
  )
  if (error instanceof FairleadError) return error
  throw new Error("no FairleadError", { cause: error })
}

/** Sends through `fetch` and remembers what was sent, as `GET /api/v1/…`. */
export const watched = (fetch: (request: Request) => Promise<Response>) => {
  const sent: Array<string> = []
  return {
    sent,
    fetch: (request: Request) => {
      const { pathname, search } = new URL(request.url)
      sent.push(`${request.method} ${pathname}${search}`)
      return fetch(request)
    }
  }
}

/** Asks again and again until the answer is yes; fails after 10 s. */
export const eventually = async (condition: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("it never came true")
    await new Promise((resume) => setTimeout(resume, 5))
  }
}
