/** A script from its submission to its result, in one call. */
import type { Connection } from "./Connection.ts"
import { FairleadError } from "./FairleadError.ts"
import type { CallOptions } from "./FairleadOptions.ts"
import { type AttemptFailed, type ExecutionStatus, followExecution, type OutputFrame } from "./followExecution.ts"
import { executionsCancel, executionsSubmit } from "./generated/sdk.gen.ts"
import type { ExecutionRequest, ExecutionResponse, ExecutionResult } from "./generated/types.gen.ts"
import { aborted } from "./internal/errors.ts"
import { idempotencyKeyOf } from "./internal/idempotencyKey.ts"
import { orAborted } from "./internal/waiting.ts"

export interface RunOptions extends ExecutionRequest, CallOptions {
  /** Default: a new one, so that the script is not run twice when an answer is lost. */
  readonly idempotencyKey?: string | undefined
  /** Called once the execution is on record. */
  readonly onAccepted?: ((execution: ExecutionResponse) => void) | undefined
  readonly onStatus?: ((status: ExecutionStatus) => void) | undefined
  /** Called when an attempt has failed and `retry` has the script started again: what it wrote so far is of that attempt. */
  readonly onAttemptFailed?: ((failed: AttemptFailed) => void) | undefined
  /** Called with what the script writes, as it writes it; `attempt` tells which start of the script it is of. */
  readonly onOutput?: ((output: OutputFrame) => void) | undefined
}

/**
 * Runs a script and answers with its result, that of the last attempt, whatever it is: a script that fails is no error of this call. Aborting the signal cancels
 * the execution and fails with `ABORTED`; so does, with its own error, a callback that throws. When the connection is lost for good the
 * execution goes on, and the error says `NETWORK`.
 */
export const runScript = async (
  connection: Connection,
  { idempotencyKey, onAccepted, onAttemptFailed, onOutput, onStatus, signal, ...body }: RunOptions
): Promise<ExecutionResult> => {
  if (signal?.aborted) throw aborted(signal)
  const { http: client } = connection
  const cancel = async ({ execution_id }: ExecutionResponse) => {
    await executionsCancel({ client, path: { execution_id }, body: { reason: "The caller gave up." } })
  }

  // Not aborted: whether it was accepted would stay unknown, and the script would run on.
  const submitted = executionsSubmit({ client, body, headers: { "idempotency-key": idempotencyKeyOf(idempotencyKey) } })
  let accepted: ExecutionResponse
  try {
    accepted = await orAborted(submitted, signal)
  } catch (error) {
    if (signal?.aborted) submitted.then(cancel).catch(() => undefined)
    throw error
  }

  try {
    onAccepted?.(accepted)
    for await (const frame of followExecution(connection, accepted.execution_id, { signal })) {
      if (frame.type === "status") onStatus?.(frame.status)
      if (frame.type === "output") onOutput?.(frame)
      if (frame.type === "event" && frame.event.event_type === "execution_attempt_failed")
        onAttemptFailed?.(frame.event)
      if (frame.type === "end") return frame.result
    }
    throw new FairleadError({ code: "UNEXPECTED", detail: "The stream ended without a result." })
  } catch (error) {
    // It may have ended by itself meanwhile, and then there is nothing to cancel.
    if (!(error instanceof FairleadError) || error.code === "ABORTED") await cancel(accepted).catch(() => undefined)
    throw error
  }
}
