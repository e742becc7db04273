/**
 * What a user may see of executions, as a pure state machine: each answer of a use case is a move, and an answer that breaks a promise
 * is refused with the reason. It knows nothing of sagas, hosts or the line.
 */
import type { Execution } from "@fairlead/core/executions/Execution"
import type { ExecutionRequest } from "@fairlead/core/executions/ExecutionRequest"
import { type ExecutionStatus, isTerminal } from "@fairlead/core/executions/ExecutionStatus"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { Result } from "effect"

/** One accepted execution as its user knows it. */
export interface Subject {
  readonly request: ExecutionRequest
  /** How its script ends if nothing disturbs it. */
  readonly natural: ExecutionStatus
  readonly seen: Execution
  /** A cancellation was asked for, whether it was answered or not. */
  readonly cancelAsked: boolean
  /** When the first cancellation was acknowledged. */
  readonly cancelledAtMillis: number | undefined
  readonly removeAsked: boolean
  readonly removed: boolean
}

export interface UserView {
  readonly subjects: ReadonlyMap<ExecutionId, Subject>
  readonly keys: ReadonlyMap<string, ExecutionId>
  /** Hosts, stores and runtimes may fail: then scripts may be lost. */
  readonly faulty: boolean
}

export const empty = (faulty: boolean): UserView => ({ subjects: new Map(), keys: new Map(), faulty })

type Answer =
  | {
      readonly _tag: "Submitted"
      readonly execution: Execution
      readonly request: ExecutionRequest
      readonly natural: ExecutionStatus
      /** What was known when the request was made; an answer that was on its way for long may be as old as that. */
      readonly asked?: UserView
    }
  | { readonly _tag: "Seen"; readonly execution: Execution }
  | { readonly _tag: "NotFound"; readonly id: ExecutionId }
  | { readonly _tag: "CancelAsked"; readonly id: ExecutionId }
  | { readonly _tag: "CancelRequested"; readonly id: ExecutionId; readonly atMillis: number }
  | { readonly _tag: "RefusedAsEnded"; readonly id: ExecutionId; readonly status: ExecutionStatus }
  | { readonly _tag: "RefusedAsActive"; readonly id: ExecutionId; readonly status: ExecutionStatus }
  | { readonly _tag: "RemoveAsked"; readonly id: ExecutionId }
  | { readonly _tag: "Removed"; readonly id: ExecutionId }
export type UserAnswer = Answer

type Next = Result.Result<UserView, string>

export const hear = (view: UserView, answer: Answer): Next => {
  if (answer._tag === "Submitted") return submitted(view, answer)
  const id = answer._tag === "Seen" ? answer.execution.executionId : answer.id
  const subject = view.subjects.get(id)
  if (subject === undefined) return Result.fail(`${answer._tag} of ${id}, which nobody submitted`)
  const become = (change: Partial<Subject>): Next =>
    Result.succeed({ ...view, subjects: new Map(view.subjects).set(id, { ...subject, ...change }) })
  switch (answer._tag) {
    case "Seen": {
      const fault = faultOf(view, subject, answer.execution)
      return fault === undefined ? become({ seen: answer.execution }) : Result.fail(`${id}: ${fault}`)
    }
    case "NotFound":
      return subject.removeAsked ? become({ removed: true }) : Result.fail(`${id} is acknowledged and cannot be found`)
    case "CancelAsked":
      return become({ cancelAsked: true })
    case "CancelRequested":
      return become({ cancelledAtMillis: subject.cancelledAtMillis ?? answer.atMillis })
    case "RefusedAsEnded":
      return isTerminal(answer.status) ? become({}) : Result.fail(`${id} is refused as ended and is ${answer.status}`)
    case "RefusedAsActive":
      return isTerminal(answer.status) || isTerminal(subject.seen.status)
        ? Result.fail(`${id} is refused as active and is ${answer.status}, seen ${subject.seen.status}`)
        : become({})
    case "RemoveAsked":
      return become({ removeAsked: true, cancelAsked: true })
    case "Removed":
      return become({ removed: true })
  }
}

const submitted = (
  view: UserView,
  { asked, execution, natural, request }: Extract<Answer, { readonly _tag: "Submitted" }>
): Next => {
  const id = execution.executionId
  const { idempotencyKey: key } = request
  const first = key === undefined ? undefined : view.keys.get(key)
  const known = view.subjects.get(id)
  if (known !== undefined && first !== id) return Result.fail(`${id} was given to two requests`)
  if (first !== undefined && first !== id && view.subjects.get(first)?.removeAsked !== true)
    return Result.fail(`key ${key} made ${first} and ${id}`)
  if (known !== undefined && asked !== undefined && isBetween(view, known, asked.subjects.get(id)?.seen, execution))
    return Result.succeed(view)
  if (known !== undefined) return hear(view, { _tag: "Seen", execution })
  const subject: Subject = {
    request,
    natural,
    seen: execution,
    cancelAsked: false,
    cancelledAtMillis: undefined,
    removeAsked: false,
    removed: false
  }
  return Result.succeed({
    ...view,
    subjects: new Map(view.subjects).set(id, subject),
    keys: key === undefined ? view.keys : new Map(view.keys).set(key, id)
  })
}

const ranks: Readonly<Record<ExecutionStatus, number>> = {
  queued: 0,
  scheduled: 1,
  running: 2,
  completed: 3,
  failed: 3,
  timeout: 3,
  cancelled: 3,
  error: 3
}

/** Whether the answer can be from between two looks: `then`, which is absent if nobody had seen it yet, and the last one. */
const isBetween = (view: UserView, known: Subject, then: Execution | undefined, answer: Execution) =>
  faultOf(view, { ...known, seen: then ?? answer }, answer) === undefined &&
  faultOf(view, { ...known, seen: answer }, known.seen) === undefined

/** What is wrong with seeing `now` after what was seen before. */
const faultOf = ({ faulty }: UserView, subject: Subject, now: Execution): string | undefined => {
  const { cancelAsked, natural, removed, request, seen } = subject
  const [before, after] = [seen.earlierAttempts ?? [], now.earlierAttempts ?? []]
  if (removed) return "it was removed and is there again"
  if (isTerminal(seen.status) && (now.status !== seen.status || now.attempt !== seen.attempt))
    return `it ended ${seen.status} and is ${now.status}`
  if (after.length < before.length || (after.length === before.length && ranks[now.status] < ranks[seen.status]))
    return `it went back from ${seen.status} to ${now.status}`
  if (now.attempt < seen.attempt) return `its attempt went back from ${seen.attempt} to ${now.attempt}`
  if (after.length > (request.retryPolicy?.maxAttempts ?? 1) - 1) return `it had ${after.length} attempts before`
  if (before.some(({ attempt, status }, i) => after[i]?.attempt !== attempt || after[i]?.status !== status))
    return "an attempt of before has changed"
  if (isTerminal(now.status) && (now.outcome === undefined || now.finishedAt === undefined))
    return "it ended without an outcome"
  if (!isTerminal(now.status) && now.outcome !== undefined) return `it has an outcome and is ${now.status}`
  const may = [natural, ...(cancelAsked ? ["cancelled"] : []), ...(request.ttlMillis === undefined ? [] : ["timeout"])]
  if (
    isTerminal(now.status) &&
    !may.includes(now.status) &&
    !(faulty && (now.status === "error" || now.status === "timeout"))
  )
    return `it ended ${now.status} (${now.outcome?.errorMessage}), which only ${may.join(" or ")} could be`
  return undefined
}
