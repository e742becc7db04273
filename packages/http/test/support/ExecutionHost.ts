/** Executions, events and sagas served in memory: the real API, handlers and core, over memory stores and staged scripts. */

import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { AdmissionPolicy } from "@fairlead/core/executions/AdmissionPolicy"
import { layerExecutions } from "@fairlead/core/Fairlead"
import type { QueueBounds } from "@fairlead/core/queue/QueueBounds"
import * as Stores from "@fairlead/core/Stores"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { aliases } from "@fairlead/http/api/compat/Aliases"
import { EventsApi } from "@fairlead/http/api/events/EventsApi"
import { ExecutionsApi } from "@fairlead/http/api/executions/ExecutionsApi"
import { InstancesApi } from "@fairlead/http/api/instances/InstancesApi"
import { QueueApi } from "@fairlead/http/api/queue/QueueApi"
import { SagasApi } from "@fairlead/http/api/sagas/SagasApi"
import * as ApiLayer from "@fairlead/http/server/ApiLayer"
import { EventsHandlers } from "@fairlead/http/server/events/EventsHandlers"
import { ExecutionsHandlers } from "@fairlead/http/server/executions/ExecutionsHandlers"
import { defaultSettings, HttpSettings, type RequestLimits } from "@fairlead/http/server/HttpSettings"
import { InstancesHandlers } from "@fairlead/http/server/instances/InstancesHandlers"
import { QueueHandlers } from "@fairlead/http/server/queue/QueueHandlers"
import { SagasHandlers } from "@fairlead/http/server/sagas/SagasHandlers"
import { SseConnections, SseSettings } from "@fairlead/http/server/sse/SseConnections"
import * as WebMount from "@fairlead/http/web/WebMount"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { HttpApi } from "effect/http-api"
import * as Identities from "./Identities.ts"
import * as ScriptedRuntime from "./ScriptedRuntime.ts"

const api = HttpApi.make("fairlead").add(EventsApi).add(ExecutionsApi).add(InstancesApi).add(QueueApi).add(SagasApi)
const handlers = Layer.mergeAll(EventsHandlers, ExecutionsHandlers, InstancesHandlers, QueueHandlers, SagasHandlers)

export interface Settings {
  readonly admission?: Partial<QueueBounds>
  readonly maxStoredOutputBytesPerUser?: number
  readonly streams?: Partial<Context.Service.Shape<typeof SseSettings>>
  readonly limits?: Partial<RequestLimits>
}

export interface Request {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

const Body = Schema.fromJsonString(Schema.Any)

/** A host that lives as long as the scope. `call` answers as `person`; nobody calls without one. */
export const start = Effect.fnUntraced(function* ({ admission, limits, streams, ...quota }: Settings = {}) {
  const policy = yield* AdmissionPolicy
  const settings = yield* SseSettings
  const core = layerExecutions({ instanceName: "host-a", maxRunning: 10 }).pipe(
    Layer.provideMerge(Layer.mergeAll(Stores.layerMemory, Secrets.layerMemory, ScriptedRuntime.layer))
  )
  const services = Layer.mergeAll(core, SseConnections.layer, Identities.layer).pipe(
    Layer.provide(
      Layer.merge(
        Layer.succeed(AdmissionPolicy, { ...policy, ...quota, bounds: { ...policy.bounds, ...admission } }),
        Layer.succeed(SseSettings, { ...settings, ...streams })
      )
    )
  )
  const built = yield* Layer.build(services)
  const revoked = yield* Deferred.make<void>()
  const sessions = { ...Context.get(built, Sessions), awaitRevocation: () => Deferred.await(revoked) }
  const context = Context.add(built, Sessions, Sessions.of(sessions))
  const routes = ApiLayer.layer({ api, aliases, handlers }).pipe(
    Layer.provide(Layer.succeedContext(context)),
    Layer.provide(Layer.succeed(SseSettings, { ...settings, ...streams })),
    Layer.provide(Layer.succeed(HttpSettings, { ...defaultSettings, limits: { ...defaultSettings.limits, ...limits } }))
  )
  const handler = yield* WebMount.make(routes)

  const open = Effect.fnUntraced(function* (
    person: Identities.Person | undefined,
    route: string,
    request: Request = {}
  ) {
    const [method = "GET", path = "/"] = route.split(" ")
    const abort = new AbortController()
    yield* Effect.addFinalizer(() => Effect.sync(() => abort.abort()))
    const init = {
      method,
      signal: abort.signal,
      headers: {
        ...(person === undefined ? {} : Identities.as(person)),
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) })
    }
    return yield* Effect.promise(() => handler(new globalThis.Request(`http://localhost/api/v1${path}`, init)))
  })

  const call = Effect.fnUntraced(function* (
    person: Identities.Person | undefined,
    route: string,
    request: Request = {}
  ) {
    const response = yield* open(person, route, request)
    const text = yield* Effect.promise(() => response.text())
    const json = response.headers.get("content-type")?.includes("json") === true
    const body = json ? yield* Schema.decodeEffect(Body)(text) : undefined
    return { status: response.status, headers: response.headers, text, body }
  }, Effect.scoped)

  /** Submits a staged script of `person` and answers with its id. */
  const submit = (person: Identities.Person, script: string) =>
    Effect.map(call(person, "POST /executions", { body: { script } }), ({ body }): string => body.execution_id)

  /** Submits and waits for the end. */
  const run = Effect.fnUntraced(function* (person: Identities.Person, script: string) {
    const id = yield* submit(person, script)
    yield* call(person, `GET /executions/${id}/result?wait_seconds=10`)
    return id
  })

  return {
    open,
    call,
    submit,
    run,
    release: Context.get(context, ScriptedRuntime.Release),
    streams: Context.get(context, SseConnections),
    /** Every credential stops being valid for open streams. */
    revoke: Effect.asVoid(Deferred.succeed(revoked, undefined))
  }
})
