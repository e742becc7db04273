/** What every generated function takes. */
import type { Connection } from "../../Connection.ts"
import type { CallOptions } from "../../FairleadOptions.ts"
import type { Client } from "../../generated/client/index.ts"

export interface Call {
  readonly client: Client
  readonly signal?: AbortSignal
}

export const callOf = ({ http }: Connection, { signal }: CallOptions = {}): Call => ({
  client: http,
  ...(signal === undefined ? {} : { signal })
})
