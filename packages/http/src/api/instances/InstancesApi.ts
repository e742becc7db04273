/** Contract of `/instances`: the server processes that share the database. */

import { Instance, ServedNode } from "@fairlead/core/instances/Instance"
import { Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { area, operation } from "../Area.ts"
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

export class InstancesApi extends area("instances", "Running instances and the nodes they serve", [
  HttpApiEndpoint.get("list", "/instances", { success: InstanceList }).annotateMerge(
    operation(
      "instances:read",
      "List instances",
      "The server processes that share the database, the latest heard of first, at most 1,000; for a day also those that are gone."
    )
  )
]) {}
