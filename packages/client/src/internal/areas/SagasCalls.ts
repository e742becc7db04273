/** The durable processes behind executions. */
import type { Connection } from "../../Connection.ts"
import type { CallOptions } from "../../FairleadOptions.ts"
import * as api from "../../generated/sdk.gen.ts"
import type { SagasListData } from "../../generated/types.gen.ts"
import { callOf } from "./callOf.ts"

type Query = NonNullable<SagasListData["query"]>

export class SagasCalls {
  readonly #connection: Connection
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Newest first, at most 1000 at once. */
  list(query: Query = {}, options?: CallOptions) {
    return api.sagasList({ ...callOf(this.#connection, options), query })
  }

  get(sagaId: string, options?: CallOptions) {
    return api.sagasGet({ ...callOf(this.#connection, options), path: { saga_id: sagaId } })
  }

  listOfExecution(executionId: string, query: Query = {}, options?: CallOptions) {
    return api.sagasListOfExecution({
      ...callOf(this.#connection, options),
      path: { execution_id: executionId },
      query
    })
  }

  /** What its steps have done is undone in reverse order. */
  cancel(sagaId: string, options?: CallOptions) {
    return api.sagasCancel({ ...callOf(this.#connection, options), path: { saga_id: sagaId } })
  }
}
