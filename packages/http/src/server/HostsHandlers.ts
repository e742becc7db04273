/** Binds `/hosts` to the `Hosts` service. No decisions here: call, translate, return. */
import { type HostReport, Hosts } from "@fairlead/core/health/Hosts"
import { Effect } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { HostsApi } from "../api/HostsApi.ts"
import { lean, withServices } from "./internal/leanHandlers.ts"

export const HostsHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(HostsApi),
  "hosts",
  Effect.fnUntraced(function* (handlers) {
    const hosts = yield* Hosts
    return handlers.handleAll({
      list: () =>
        Effect.map(hosts.list, (found) => ({ hosts: found.map(hostView) })).pipe(
          Effect.catchTag("StorageError", Effect.die)
        )
    })
  }, withServices)
).pipe(lean)

const hostView = ({ alive, host, places, silentMillis }: HostReport) => ({
  ...host,
  places,
  alive,
  silentSeconds: silentMillis / 1000
})
