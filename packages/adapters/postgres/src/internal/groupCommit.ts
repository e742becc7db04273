/**
 * Does at one go what callers ask for at the same time, so that they share a round trip and a commit. A caller who comes alone waits for
 * nobody: what comes while a step is under way gathers for the next one.
 */
import { Cause, Deferred, Effect, Exit } from "effect"

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

  return (request: Request): Effect.Effect<Answer, E> =>
    Effect.suspend(() => {
      const entry: Waiting<Request, Answer, E> = { request, answer: Deferred.makeUnsafe(), abandoned: false }
      waiting.push(entry)
      const answered = Deferred.await(entry.answer).pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            entry.abandoned = true
          })
        )
      )
      if (steps >= maxSteps) return answered
      steps++
      return Effect.andThen(Effect.forkDetach(steady), answered)
    })
}
