/** How the instance is doing and what it can do. */
import type { Connection } from "../../Connection.ts"
import type { CallOptions } from "../../FairleadOptions.ts"
import * as api from "../../generated/sdk.gen.ts"
import { callOf } from "./callOf.ts"

export class HealthCalls {
  readonly #connection: Connection
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Answers as long as the process does. */
  live(options?: CallOptions) {
    return api.healthLive(callOf(this.#connection, options))
  }

  /** Fails with `NOT_READY` while a component fails or the instance drains. */
  ready(options?: CallOptions) {
    return api.healthReady(callOf(this.#connection, options))
  }

  /** Every component with its answer time, and the executions that the caller may see. */
  report(options?: CallOptions) {
    return api.healthReport(callOf(this.#connection, options))
  }

  /** Runtimes with their languages, and the operations of each area. */
  capabilities(options?: CallOptions) {
    return api.healthCapabilities(callOf(this.#connection, options))
  }

  /** State of the event streams of the instance that answers. */
  streams(options?: CallOptions) {
    return api.eventsHealth(callOf(this.#connection, options))
  }
}
