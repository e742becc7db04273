/** The whole API with all its handlers, for hosts that serve everything. One that serves a part uses `ApiLayer` itself. */
import { Layer } from "effect"
import { Api } from "../api/Api.ts"
import { aliases } from "../api/compat/Aliases.ts"
import * as ApiLayer from "./ApiLayer.ts"
import { AuthHandlers } from "./AuthHandlers.ts"
import { DocsHandlers } from "./DocsHandlers.ts"
import { EventsHandlers } from "./EventsHandlers.ts"
import { ExecutionsHandlers } from "./ExecutionsHandlers.ts"
import { HealthHandlers } from "./HealthHandlers.ts"
import { InstancesHandlers } from "./InstancesHandlers.ts"
import { QueueHandlers } from "./QueueHandlers.ts"
import { SagasHandlers } from "./SagasHandlers.ts"

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
