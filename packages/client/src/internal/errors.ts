/** Turns whatever can go wrong into a `FairleadError`. */
import { FairleadError, type Problem } from "../FairleadError.ts"

/** The error that an answer with this text is. */
export const fromAnswer = (response: Response, text: string): FairleadError => {
  const { headers, status } = response
  const problem = problemIn(text)
  return new FairleadError({
    code: problem?.code ?? "UNEXPECTED",
    detail: problem?.detail ?? `The server answered ${status} with something that is no problem of this API.`,
    status,
    problem,
    requestId: problem?.request_id ?? headers.get("x-request-id") ?? undefined,
    retryAfterSeconds: retryAfter(headers)
  })
}

/** What `fetch` or reading a body threw. */
export const fromFailure = (cause: unknown): FairleadError =>
  cause instanceof FairleadError
    ? cause
    : new FairleadError({ code: "NETWORK", detail: "The server could not be reached, or the answer broke off.", cause })

export const aborted = (signal: AbortSignal): FairleadError =>
  new FairleadError({ code: "ABORTED", detail: "The call was aborted.", cause: signal.reason })

export const unexpected = (cause: unknown): FairleadError =>
  cause instanceof FairleadError
    ? cause
    : new FairleadError({ code: "UNEXPECTED", detail: "The answer cannot be read as the API describes it.", cause })

const problemIn = (text: string): Problem | undefined => {
  try {
    const body = JSON.parse(text)
    return typeof body?.code === "string" && typeof body.detail === "string" ? body : undefined
  } catch {
    return undefined
  }
}

/** Seconds, from a number or a date. */
const retryAfter = (headers: Headers): number | undefined => {
  const value = headers.get("retry-after")
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}
