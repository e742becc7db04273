/** Binds `/instances` to the `Instances` service. No decisions here: call, translate, return. */
import { type InstanceReport, Instances } from "@fairlead/core/health/Instances"
import { Effect } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { InstancesApi } from "../../api/instances/InstancesApi.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"

export const InstancesHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(InstancesApi),
  "instances",
  Effect.fnUntraced(function* (handlers) {
    const instances = yield* Instances
    return handlers.handleAll({
      list: () => Effect.map(instances.list, (found) => ({ instances: found.map(instanceView) }))
    })
  }, withServices)
).pipe(lean)

const instanceView = ({ alive, instance, nodes, sinceHeartbeatMillis }: InstanceReport) => ({
  ...instance,
  nodes,
  alive,
  secondsSinceHeartbeat: sinceHeartbeatMillis / 1000
})
