/** The whole API with all its handlers, for instances that serve everything. One that serves a part uses `ApiLayer` itself. */
import { Layer } from "effect"
import { Api } from "../api/Api.ts"
import { aliases } from "../api/compat/Aliases.ts"
import * as ApiLayer from "./ApiLayer.ts"
import { AuthHandlers } from "./auth/AuthHandlers.ts"
import { DocsHandlers } from "./docs/DocsHandlers.ts"
import { EventsHandlers } from "./events/EventsHandlers.ts"
import { ExecutionsHandlers } from "./executions/ExecutionsHandlers.ts"
import { HealthHandlers } from "./health/HealthHandlers.ts"
import { InstancesHandlers } from "./instances/InstancesHandlers.ts"
import { QueueHandlers } from "./queue/QueueHandlers.ts"
import { SagasHandlers } from "./sagas/SagasHandlers.ts"

const handlers = Layer.mergeAll(
  AuthHandlers,
  DocsHandlers,
  EventsHandlers,
  ExecutionsHandlers,
  HealthHandlers,
  InstancesHandlers,
  QueueHandlers,
  SagasHandlers
)

/** Needs what `Fairlead.layer` of core gives, `SseConnections`, and for the docs and metrics `DocsAssets` and `ProcessMetrics`. */
export const layer = ApiLayer.layer({ api: Api, aliases, handlers })
