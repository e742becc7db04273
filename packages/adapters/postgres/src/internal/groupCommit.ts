/**
 * Does at one go what callers ask for at the same time, so that they share a round trip and a commit. A caller who comes alone waits for
 * nobody: what comes while a step is under way gathers for the next one.
 */
import { Cause, Deferred, Effect, Exit } from "effect"
import type { SqlError } from "effect/sql"

export interface GroupCommitOptions<Request, Answer, E> {
  /** Does all of it, at least one, and answers each in the same order. Fails for all of them. */
  readonly commit: (requests: ReadonlyArray<Request>) => Effect.Effect<ReadonlyArray<Answer>, E>
  /** Most requests in one step. */
  readonly maxSize: number
  /** Steps under way at once. */
  readonly maxSteps: number
}

interface Waiting<Request, Answer, E> {
  readonly request: Request
  readonly answer: Deferred.Deferred<Answer, E>
  abandoned: boolean
}

/** The answer waits for the commit. A caller who is interrupted before the step has begun takes the request back. */
export const make = <Request, Answer extends {}, E>({
  commit,
  maxSize,
  maxSteps
}: GroupCommitOptions<Request, Answer, E>) => {
  /** As many as there are callers who wait. */
  const waiting: Array<Waiting<Request, Answer, E>> = []
  let steps = 0

  const step = Effect.fnUntraced(function* () {
    const batch = waiting.splice(0, maxSize).filter(({ abandoned }) => !abandoned)
    if (batch.length === 0) return
    const done = yield* Effect.exit(commit(batch.map(({ request }) => request)))
    const answers = Exit.isSuccess(done) ? done.value : []
    for (const [i, { answer }] of batch.entries()) {
      const answered = answers[i]
      if (answered !== undefined) yield* Deferred.succeed(answer, answered)
      else
        yield* Deferred.failCause(answer, Exit.isFailure(done) ? done.cause : Cause.die("a request without an answer"))
    }
  })
  const steady = Effect.gen(function* () {
    while (waiting.length > 0) yield* step()
    // Nothing may come between the last look and this.
    steps--
  })

  /** Of a step that ends: what has come meanwhile gathers for the next one. */
  const next = Effect.suspend(() => {
    if (waiting.length > 0) return Effect.forkDetach(steady)
    steps--
    return Effect.void
  })
  /** Nobody shares it, so it needs no fiber of its own, and goes down with its caller. */
  const alone = (request: Request) =>
    Effect.ensuring(
      Effect.flatMap(commit([request]), ([answer]) =>
        answer === undefined ? Effect.die("a request without an answer") : Effect.succeed(answer)
      ),
      next
    )

  return (request: Request): Effect.Effect<Answer, E> =>
    Effect.suspend(() => {
      if (steps < maxSteps) {
        steps++
        return alone(request)
      }
      const entry: Waiting<Request, Answer, E> = { request, answer: Deferred.makeUnsafe(), abandoned: false }
      waiting.push(entry)
      return Effect.onInterrupt(Deferred.await(entry.answer), () =>
        Effect.sync(() => {
          entry.abandoned = true
        })
      )
    })
}

export interface SharedOptions<Request, Answer, E> extends Omit<GroupCommitOptions<Request, Answer, E>, "commit"> {
  /** In one statement; all of it or nothing. */
  readonly together: GroupCommitOptions<Request, Answer, E>["commit"]
  readonly alone: (request: Request) => Effect.Effect<Answer, E>
  /** Of requests with the same name only the first takes part in a statement; the others are done alone after it. */
  readonly nameOf: (request: Request) => unknown
}

/** As `make`, for statements that one request can spoil for the others: then each is done alone. */
export const makeShared = <Request, Answer extends {}, E extends SqlError.SqlError>({
  alone,
  nameOf,
  together,
  ...bounds
}: SharedOptions<Request, Answer, E>) => {
  type Shared = { readonly answer: Answer } | "apart"
  const commit = Effect.fnUntraced(function* (requests: ReadonlyArray<Request>) {
    const firsts = new Map(requests.toReversed().map((request) => [nameOf(request), request]))
    const taking = requests.filter((request) => firsts.get(nameOf(request)) === request)
    const answers = yield* together(taking)
    const answered = new Map(taking.map((request, i) => [request, answers[i]]))
    return requests.map((request): Shared => {
      const answer = answered.get(request)
      return answer === undefined ? "apart" : { answer }
    })
  })
  const gathered = make<Request, Shared, E>({
    ...bounds,
    commit: (requests) =>
      Effect.catchIf(commit(requests), isSpoilt, () => Effect.succeed(requests.map((): Shared => "apart")))
  })
  return (request: Request): Effect.Effect<Answer, E> =>
    Effect.flatMap(gathered(request), (shared) => (shared === "apart" ? alone(request) : Effect.succeed(shared.answer)))
}

/** Nothing is written: one of them has an id that is stored, or a row that is locked for long or the other way round. */
const isSpoilt = ({ reason }: SqlError.SqlError) =>
  reason._tag === "UniqueViolation" || reason._tag === "LockTimeoutError" || reason._tag === "DeadlockError"
