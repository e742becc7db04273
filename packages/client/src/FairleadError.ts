/** The one error that this package throws: an answer that is a problem, or no answer at all. */
import type { Problems } from "./generated/problems.gen.ts"

/** Codes that the API answers with; `detail` is prose and may change, these never do. */
export type ProblemCode = keyof Problems
/** A whole answer of the API that says what went wrong. */
export type Problem = Problems[ProblemCode]

/**
 * What the client itself has to say. `NETWORK`: no answer came, or it broke off. `TIMEOUT`: it took longer than `timeoutMs`. `ABORTED`:
 * the caller's `AbortSignal` said so. `UNEXPECTED`: the answer is not one of this API, such as the page of a proxy.
 */
export type ClientCode = "NETWORK" | "TIMEOUT" | "ABORTED" | "UNEXPECTED"

/** A newer server may know codes that this version does not. */
export type FairleadErrorCode = ProblemCode | ClientCode | (string & {})

export interface FairleadErrorInit {
  readonly code: FairleadErrorCode
  readonly detail: string
  readonly status?: number | undefined
  readonly problem?: Problem | undefined
  readonly requestId?: string | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

export class FairleadError extends Error {
  override readonly name = "FairleadError"
  readonly code: FairleadErrorCode
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** One sentence for people. */
  readonly detail: string
  /** The typed body; absent for the codes of the client itself. `is` narrows it. */
  readonly problem: Problem | undefined
  /** Leads to this request in the instance's log. */
  readonly requestId: string | undefined
  /** When trying again makes sense. */
  readonly retryAfterSeconds: number | undefined

  constructor({ cause, code, detail, problem, requestId, retryAfterSeconds, status = 0 }: FairleadErrorInit) {
    super(`${code}: ${detail}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = status
    this.detail = detail
    this.problem = problem
    this.requestId = requestId
    this.retryAfterSeconds = retryAfterSeconds
  }

  /** What is wrong with which field of the request; empty unless the code is `REQUEST_INVALID`. */
  get issues(): Problems["REQUEST_INVALID"]["issues"] {
    return this.is("REQUEST_INVALID") ? this.problem.issues : []
  }

  /** Whether the same call may succeed later. Says nothing about whether it is safe to repeat. */
  get retryable(): boolean {
    return this.code === "NETWORK" || this.code === "TIMEOUT" || [429, 502, 503, 504].includes(this.status)
  }

  /** `if (error.is("QUEUE_FULL")) error.problem.maximum` */
  is<C extends ProblemCode>(code: C): this is FairleadError & { readonly code: C; readonly problem: Problems[C] } {
    return this.code === code && this.problem !== undefined
  }
}
