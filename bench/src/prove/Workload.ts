/**
 * What clients of a proof do: submit scripts under an idempotency key until there is an answer, cancel some, and wait for every end.
 * Remembers what was answered, to compare with what is stored.
 */

import type { Fleet } from "./Fleet.ts"
import { behaviourOf, type Ending, type Kind, requestOf } from "./scripts.ts"
import { sleep, until } from "./waiting.ts"

export interface Submitted {
  readonly tag: string
  readonly kind: Kind
  readonly executionId: string
}

export interface Ended extends Submitted {
  readonly ending: Ending
  readonly errorType: string | undefined
  readonly errorCause: string | undefined
}

export interface Workload {
  /** In the order of the answers. */
  readonly submitted: ReadonlyArray<Submitted>
  /** Answers when the script is accepted and, if it is to be cancelled, its cancellation as well. */
  submit(kind: Kind, env?: Readonly<Record<string, string>>): Promise<Submitted>
  /** How it ended; `undefined` if it has not after the bound. */
  end(of: Submitted, boundMillis: number): Promise<Ended | undefined>
}

const terminal = ["completed", "failed", "timeout", "cancelled", "error"]
const text = (value: unknown) => (typeof value === "string" ? value : undefined)
const number = (value: unknown) => (typeof value === "number" ? value : undefined)

/** `run` marks every script, so that those left over can be found. */
export const makeWorkload = (fleet: Pick<Fleet, "ask">, run: string, ledgerFile: string): Workload => {
  const submitted: Array<Submitted> = []
  let count = 0

  const running = async (executionId: string) => {
    const isUnderWay = async () => {
      const { body } = await fleet.ask("GET", `/executions/${executionId}`)
      return body["status"] === "queued" || body["status"] === "scheduled" ? undefined : true
    }
    await until(`${executionId} runs`, isUnderWay, 120_000, 20)
  }
  const cancel = async (executionId: string) => {
    const { body, status } = await fleet.ask("POST", `/executions/${executionId}/cancel`, { reason: "proof" })
    if (status !== 200 && status !== 409)
      throw new Error(`cancelling ${executionId} was answered ${status} ${JSON.stringify(body)}`)
  }

  return {
    submitted,
    submit: async (kind, env = {}) => {
      const tag = `${run}-${count++}`
      const request = requestOf(kind, { ...env, PROOF_RUN: run, PROOF_TAG: tag, PROOF_LEDGER: ledgerFile })
      const { body, status } = await fleet.ask("POST", "/executions", request, { "idempotency-key": tag })
      const executionId = text(body["execution_id"])
      if (status !== 200 || executionId === undefined)
        throw new Error(`${kind} was answered ${status} ${JSON.stringify(body)}`)
      const accepted = { tag, kind, executionId }
      submitted.push(accepted)
      const { cancelled } = behaviourOf(kind)
      if (cancelled === "when it runs") await running(executionId)
      if (cancelled !== undefined) await cancel(executionId)
      return accepted
    },
    end: async (of, boundMillis) => {
      const end = performance.now() + boundMillis
      while (performance.now() < end) {
        const { body, status } = await fleet.ask("GET", `/executions/${of.executionId}/result?wait_seconds=5`)
        const reached = text(body["status"])
        if (status === 404) return { ...of, ending: nothing, errorType: undefined, errorCause: undefined }
        if (reached !== undefined && terminal.includes(reached)) return ended(of, reached, body)
        await sleep(50)
      }
      return undefined
    }
  }
}

/** Of an execution that was accepted and is not there. */
const nothing: Ending = { status: "missing", exitCode: undefined, attempt: 0, stdout: "" }

const ended = (of: Submitted, status: string, body: Readonly<Record<string, unknown>>): Ended => ({
  ...of,
  ending: {
    status,
    exitCode: number(body["exit_code"]),
    attempt: number(body["attempt"]) ?? 0,
    stdout: text(body["stdout"]) ?? ""
  },
  errorType: text(body["error_type"]),
  errorCause: text(body["error_cause"])
})
