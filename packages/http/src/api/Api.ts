/**
 * The whole contract: one line per area, in alphabetical order. An instance that wants less makes its own
 * `HttpApi.make("fairlead").add(HealthApi)`: the handlers fit, because they belong to a group and not to this list.
 */
import { HttpApi, OpenApi } from "effect/http-api"
import { AuthApi } from "./auth/AuthApi.ts"
import { DocsApi } from "./docs/DocsApi.ts"
import { EventsApi } from "./events/EventsApi.ts"
import { ExecutionsApi } from "./executions/ExecutionsApi.ts"
import { HealthApi } from "./health/HealthApi.ts"
import { InstancesApi } from "./instances/InstancesApi.ts"
import { QueueApi } from "./queue/QueueApi.ts"
import { SagasApi } from "./sagas/SagasApi.ts"
import { version } from "./Version.ts"

export class Api extends HttpApi.make("fairlead")
  .add(AuthApi)
  .add(DocsApi)
  .add(EventsApi)
  .add(ExecutionsApi)
  .add(HealthApi)
  .add(InstancesApi)
  .add(QueueApi)
  .add(SagasApi)
  .annotate(OpenApi.Title, "Fairlead")
  .annotate(OpenApi.Version, version)
  .annotate(OpenApi.Description, "Runs scripts where they are needed, and shows what runs there.")
  .annotate(OpenApi.License, { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" }) {}
