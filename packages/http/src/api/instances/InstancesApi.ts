/** Contract of `/instances`: the server processes that share the database. */
import { Instance, ServedNode } from "@fairlead/core/instances/Instance"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authentication, Authorization, RequiredPermission } from "../Access.ts"
import { CommonErrors } from "../CommonErrors.ts"
import { onlyKnownMembers } from "../KnownMembers.ts"
import { wire } from "../Wire.ts"

const InstanceList = wire(
  "InstanceList",
  Schema.Struct({
    instances: Schema.Array(
      Schema.Struct({
        ...Instance.fields,
        /** By the clock of the database. */
        secondsSinceHeartbeat: Schema.Finite.annotate({ examples: [1.2] }),
        /** It has sent a heartbeat within the last 10 s and is not draining. */
        alive: Schema.Boolean,
        nodes: Schema.Array(
          Schema.Struct({
            ...ServedNode.fields,
            /** Scripts that have a slot on the node, of all instances that serve it. */
            running: Schema.Int
          })
        )
      })
    )
  })
)

export class InstancesApi extends HttpApiGroup.make("instances")
  .add(
    HttpApiEndpoint.get("list", "/instances", { success: InstanceList })
      .annotate(RequiredPermission, "instances:read")
      .annotate(OpenApi.Summary, "List instances")
      .annotate(
        OpenApi.Description,
        "The server processes that share the database, the latest heard of first, at most 1,000; for a day also those that are gone."
      )
  )
  .prefix("/api/v1")
  .middleware(Authorization)
  .middleware(Authentication)
  .middleware(CommonErrors)
  .annotateMerge(onlyKnownMembers)
  .annotate(OpenApi.Description, "Running instances and the nodes they serve") {}
