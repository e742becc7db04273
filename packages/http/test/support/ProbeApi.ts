/** A small API of our own making, to see what stands in front of any endpoint. */
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Authentication, Authorization, CurrentPrincipal, RequiredPermission } from "@fairlead/http/api/Access"
import { BodyLimit, CommonErrors } from "@fairlead/http/api/CommonErrors"
import * as ApiLayer from "@fairlead/http/server/ApiLayer"
import { CurrentRequestSource } from "@fairlead/http/server/CurrentRequestSource"
import { Effect, Layer, Schema } from "effect"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import * as Identities from "./Identities.ts"

const Who = Schema.Struct({ username: Schema.String, via: Schema.String })
const Seen = Schema.Struct({ address: Schema.NullOr(Schema.String), secure: Schema.Boolean, id: Schema.String })
const Note = Schema.Struct({ text: Schema.String })
const NoteForm = Schema.Struct({ text: Schema.String })
  .annotate({ identifier: "NoteForm" })
  .pipe(HttpApiSchema.asFormUrlEncoded())

class ProbeGroup extends HttpApiGroup.make("probe")
  .add(
    HttpApiEndpoint.get("read", "/read", { success: Who }).annotate(RequiredPermission, "account:read"),
    HttpApiEndpoint.post("write", "/write", { success: Who }).annotate(RequiredPermission, "account:write"),
    HttpApiEndpoint.get("health", "/health", { success: Who }).annotate(RequiredPermission, "health:read"),
    HttpApiEndpoint.post("rule", "/rule", { success: Who }).annotate(RequiredPermission, "executions:admin"),
    HttpApiEndpoint.get("undeclared", "/undeclared", { success: Who })
  )
  .middleware(Authorization)
  .middleware(Authentication)
  .add(
    HttpApiEndpoint.get("item", "/items/:id", {
      params: { id: Schema.String.check(Schema.isUUID()) },
      query: { limit: Schema.optional(Schema.Int) },
      success: Schema.String
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.post("note", "/notes", { payload: [Note, NoteForm], success: Note }).annotate(
      RequiredPermission,
      "public"
    ),
    HttpApiEndpoint.post("shortNote", "/short-notes", { payload: Note, success: Note })
      .annotate(RequiredPermission, "public")
      .annotate(BodyLimit, 64),
    HttpApiEndpoint.get("seen", "/seen", { success: Seen }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("bug", "/bug", { success: Note }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("away", "/away", { success: Note }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("never", "/never", { success: Note }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("long", "/long", { success: Schema.String }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("broken", "/broken", { success: Note }).annotate(RequiredPermission, "public")
  )
  .prefix("/api/v1/probe")
  .middleware(CommonErrors) {}

const api = HttpApi.make("fairlead").add(ProbeGroup)

const who = Effect.fnUntraced(function* () {
  const { credential, username } = yield* CurrentPrincipal
  return { username, via: credential._tag }
})

export const longText = "long ".repeat(2_000_000)

const handlers = HttpApiBuilder.group(api, "probe", (group) =>
  group.handleAll({
    read: who,
    health: who,
    write: who,
    rule: who,
    undeclared: who,
    item: ({ params }) => Effect.succeed(params.id),
    note: ({ payload }) => Effect.succeed(payload),
    shortNote: ({ payload }) => Effect.succeed(payload),
    seen: Effect.fnUntraced(function* () {
      const { correlationId, ipAddress, secure } = yield* CurrentRequestSource
      return { address: ipAddress ?? null, secure, id: correlationId }
    }),
    bug: () => Effect.die(new Error("secret: hunter2")),
    away: () =>
      Effect.die(new StorageError({ operation: "Probe.find", retryable: true, cause: new Error("password=hunter2") })),
    // What waits for a frozen database does not let itself be interrupted at once either.
    never: () => Effect.uninterruptible(Effect.never),
    long: () => Effect.succeed(longText),
    broken: () =>
      Effect.die(new StorageError({ operation: "Probe.find", retryable: false, cause: new Error("password=hunter2") }))
  })
)

const aliases = {
  "GET /read-me": "GET /api/v1/probe/read",
  "GET /api/v1/:id": "GET /api/v1/probe/items/:id",
  "GET /api/v1/:id/show": "GET /api/v1/probe/items/:id",
  "GET /show/:id": "GET /api/v1/probe/items/:id"
}

export const routes = ApiLayer.layer({ api, aliases, handlers }).pipe(Layer.provide(Identities.layer))
