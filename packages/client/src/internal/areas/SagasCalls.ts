/** The durable processes behind executions. */
import type { Connection } from "../../Connection.ts"
import type { CallOptions } from "../../FairleadOptions.ts"
import * as api from "../../generated/sdk.gen.ts"
import type { SagasListData, SagasListOfExecutionData, SagasStuckData } from "../../generated/types.gen.ts"
import { callOf } from "./callOf.ts"

export class SagasCalls {
  readonly #connection: Connection
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Newest first, at most 1000 at once. */
  list(query: NonNullable<SagasListData["query"]> = {}, options?: CallOptions) {
    return api.sagasList({ ...callOf(this.#connection, options), query })
  }

  get(sagaId: string, options?: CallOptions) {
    return api.sagasGet(this.#of(sagaId, options))
  }

  listOfExecution(
    executionId: string,
    query: NonNullable<SagasListOfExecutionData["query"]> = {},
    options?: CallOptions
  ) {
    return api.sagasListOfExecution({
      ...callOf(this.#connection, options),
      path: { execution_id: executionId },
      query
    })
  }

  /** What its steps have done is undone in reverse order. */
  cancel(sagaId: string, options?: CallOptions) {
    return api.sagasCancel(this.#of(sagaId, options))
  }
  /** Every attempt of every step, in order. */
  history(sagaId: string, options?: CallOptions) {
    return api.sagasHistory(this.#of(sagaId, options))
  }

  /** Sagas that make no progress, with why; go on with `after: next`. */
  stuck(query: NonNullable<SagasStuckData["query"]> = {}, options?: CallOptions) {
    return api.sagasStuck({ ...callOf(this.#connection, options), query })
  }

  /** A new execution of the same script that goes on from where this saga failed. */
  retry(sagaId: string, options?: CallOptions) {
    return api.sagasRetry(this.#of(sagaId, options))
  }

  /** The same from a step of your choice. */
  restart(sagaId: string, fromStep: string, options?: CallOptions) {
    return api.sagasRestart({ ...this.#of(sagaId, options), body: { from_step: fromStep } })
  }

  /** For administrators: ends a saga that cannot end by itself. Nothing is undone. */
  forceFail(sagaId: string, reason: string, options?: CallOptions) {
    return api.sagasForceFail({ ...this.#of(sagaId, options), body: { reason } })
  }

  #of(sagaId: string, options: CallOptions | undefined) {
    return { ...callOf(this.#connection, options), path: { saga_id: sagaId } }
  }
}
