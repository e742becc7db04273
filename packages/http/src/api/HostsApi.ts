/** Contract of `/hosts`: the server processes that share the database. */
import { Host, ServedPlace } from "@fairlead/core/hosts/Host"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authentication, Authorization, Needs } from "./Access.ts"
import { onlyKnownMembers } from "./KnownMembers.ts"
import { Rejections } from "./Rejections.ts"
import { wire } from "./Wire.ts"

const HostList = wire(
  "HostList",
  Schema.Struct({
    hosts: Schema.Array(
      Schema.Struct({
        ...Host.fields,
        /** Since it was heard of last, by the clock of the database. */
        silentSeconds: Schema.Finite.annotate({ examples: [1.2] }),
        /** Heard of within 10 s, and not leaving. */
        alive: Schema.Boolean,
        places: Schema.Array(
          Schema.Struct({
            ...ServedPlace.fields,
            /** Scripts that have a slot in the place, of all hosts that serve it. */
            running: Schema.Int
          })
        )
      })
    )
  })
)

export class HostsApi extends HttpApiGroup.make("hosts")
  .add(
    HttpApiEndpoint.get("list", "/hosts", { success: HostList })
      .annotate(Needs, "hosts:read")
      .annotate(OpenApi.Summary, "List the hosts")
      .annotate(
        OpenApi.Description,
        "The server processes that share the database, the latest heard of first, at most 1,000; for a day also those that are gone."
      )
  )
  .prefix("/api/v1")
  .middleware(Authorization)
  .middleware(Authentication)
  .middleware(Rejections)
  .annotateMerge(onlyKnownMembers)
  .annotate(OpenApi.Description, "Who serves, and how much runs where") {}
