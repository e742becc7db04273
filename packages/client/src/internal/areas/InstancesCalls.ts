/** The server processes that share the database. */
import type { Connection } from "../../Connection.ts"
import type { CallOptions } from "../../FairleadOptions.ts"
import * as api from "../../generated/sdk.gen.ts"
import { callOf } from "./callOf.ts"

export class InstancesCalls {
  readonly #connection: Connection
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** For operators. The latest heard of first. */
  list(options?: CallOptions) {
    return api.instancesList(callOf(this.#connection, options))
  }
}
