/** Scripts that run, or ran: submit, look, cancel, repeat. */
import type { Connection } from "../../Connection.ts"
import type { CallOptions } from "../../FairleadOptions.ts"
import { type FollowOptions, followExecution } from "../../followExecution.ts"
import * as api from "../../generated/sdk.gen.ts"
import type {
  CancelExecutionRequest,
  ExecutionRequest,
  ExecutionsEventsData,
  ExecutionsListData
} from "../../generated/types.gen.ts"
import { type LogOptions, readLogs } from "../../readLogs.ts"
import { idempotencyKeyOf } from "../idempotencyKey.ts"
import { callOf } from "./callOf.ts"

export interface WaitOptions extends CallOptions {
  /** Holds the answer back until the execution ends, for at most so many seconds, 0 to 60. */
  readonly waitSeconds?: number | undefined
}
export interface SubmitOptions extends WaitOptions {
  /** The same key with the same script gives the same execution for 24 hours. Default: a new one, so that a repeated request is safe. */
  readonly idempotencyKey?: string | undefined
}

export class ExecutionsCalls {
  readonly #connection: Connection
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Hands a script over. Once this is answered the execution survives a crash of every instance. */
  submit(body: ExecutionRequest, { idempotencyKey, ...options }: SubmitOptions = {}) {
    const headers = { "idempotency-key": idempotencyKeyOf(idempotencyKey) }
    return api.executionsSubmit({ ...this.#waiting(options), body, headers })
  }

  /** Where it stands and how it ended, without its output. */
  get(executionId: string, options?: CallOptions) {
    return api.executionsGet({ ...this.#of(executionId, options) })
  }

  /** Status, output and exit code; what is not known yet is `null`. */
  result(executionId: string, options: WaitOptions = {}) {
    return api.executionsResult({ ...this.#waiting(options), path: { execution_id: executionId } })
  }

  /** Oldest first; the last one is the current, which may still wait for its start. */
  attempts(executionId: string, options?: CallOptions) {
    return api.executionsAttempts({ ...this.#of(executionId, options) })
  }

  /** What one attempt left, also an earlier one. */
  attemptResult(executionId: string, attempt: number, options?: CallOptions) {
    return api.executionsResult({ ...this.#of(executionId, options), query: { attempt } })
  }

  /** Newest first, at most 200 at once. */
  list(query: NonNullable<ExecutionsListData["query"]> = {}, options?: CallOptions) {
    return api.executionsList({ ...callOf(this.#connection, options), query })
  }

  /** Like `list`, without those of other users. */
  listOwn(query: NonNullable<ExecutionsListData["query"]> = {}, options?: CallOptions) {
    return api.executionsListOwn({ ...callOf(this.#connection, options), query })
  }

  /** Asks it to end and answers at once; its status follows within 2 s. Cancelling a cancelled one again is no error. */
  cancel(executionId: string, { reason, ...options }: CancelExecutionRequest & CallOptions = {}) {
    return api.executionsCancel({ ...this.#of(executionId, options), body: reason === undefined ? {} : { reason } })
  }

  /** A new execution of the same script, arguments, environment, limits, priority, retry and concurrency key, which waits for its background as that did. */
  retry(executionId: string, options?: CallOptions) {
    return api.executionsRetry({ ...this.#of(executionId, options), body: {} })
  }

  /** Deletes it with its output and result; an active one is cancelled first. */
  remove(executionId: string, options?: CallOptions) {
    return api.executionsRemove(this.#of(executionId, options))
  }

  /** What happened to it, oldest first. */
  events(executionId: string, query: NonNullable<ExecutionsEventsData["query"]> = {}, options?: CallOptions) {
    return api.executionsEvents({ ...this.#of(executionId, options), query })
  }

  /** See `readLogs`. */
  logs(executionId: string, options?: LogOptions) {
    return readLogs(this.#connection, executionId, options)
  }

  /** See `followExecution`. */
  follow(executionId: string, options?: FollowOptions) {
    return followExecution(this.#connection, executionId, options)
  }

  /** What an execution gets when it asks for nothing else, and the languages with their versions. */
  limits(options?: CallOptions) {
    return api.executionsLimits(callOf(this.#connection, options))
  }

  /** One script for each language that the instance runs. */
  examples(options?: CallOptions) {
    return api.executionsExamples(callOf(this.#connection, options))
  }

  #of(executionId: string, options: CallOptions | undefined) {
    return { ...callOf(this.#connection, options), path: { execution_id: executionId } }
  }

  #waiting({ waitSeconds, ...options }: WaitOptions) {
    return {
      ...callOf(this.#connection, options),
      ...(waitSeconds === undefined ? {} : { query: { wait_seconds: waitSeconds } })
    }
  }
}
