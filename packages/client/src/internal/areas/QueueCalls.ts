/** The queue of executions that have not ended. */
import type { Connection } from "../../Connection.ts"
import type { CallOptions } from "../../FairleadOptions.ts"
import * as api from "../../generated/sdk.gen.ts"
import type { PauseQueueRequest, QueueListData, ResumeQueueRequest } from "../../generated/types.gen.ts"
import { callOf } from "./callOf.ts"

export class QueueCalls {
  readonly #connection: Connection
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** In the order of rank, at most 500 at once, with the numbers of the whole line. */
  list(query: NonNullable<QueueListData["query"]> = {}, options?: CallOptions) {
    return api.queueList({ ...callOf(this.#connection, options), query })
  }

  get(executionId: string, options?: CallOptions) {
    return api.queueGet({ ...callOf(this.#connection, options), path: { execution_id: executionId } })
  }

  /** For operators. Fails with `EXECUTION_ADMITTED` once it has a slot. */
  reprioritise(executionId: string, priority: number, options?: CallOptions) {
    const path = { execution_id: executionId }
    return api.queueReprioritise({ ...callOf(this.#connection, options), path, body: { priority } })
  }

  /** For administrators: nothing of the scope starts any more; what runs goes on. */
  pause(body: PauseQueueRequest, options?: CallOptions) {
    return api.queuePause({ ...callOf(this.#connection, options), body })
  }

  /** For administrators: ends the pause of exactly that scope. */
  resume(body: ResumeQueueRequest = {}, options?: CallOptions) {
    return api.queueResume({ ...callOf(this.#connection, options), body })
  }

  pauses(options?: CallOptions) {
    return api.queuePauses(callOf(this.#connection, options))
  }
}
