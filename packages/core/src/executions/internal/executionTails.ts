/**
 * What the followers of one execution on this host read together. They are woken together, and whoever asks for what another one has asked for
 * since then shares the answer: a thousand followers at the end of an execution cost the stores as much as one.
 */
import { type Context, Effect, Fiber, RcMap, type Scope } from "effect"
import type { WakeupWaiters } from "../../bus/WakeupWaiters.ts"
import type { ExecutionId } from "../ExecutionId.ts"

/** Different answers that are kept for others who ask; beyond that each asks the stores. */
const keptAnswers = 4
/** Followers that are woken before the loop turns, so that a crowd of them keeps nobody else waiting. */
const wokenAtOnce = 32
/** Hints may be lost, so followers look by themselves as well. */
const sweepMillis = 1_000

/** Answers that are no older than this object. */
export interface Shared {
  /** The answer of `ask`, or of whoever asked under this name before. */
  get<A, E>(name: string, ask: Effect.Effect<A, E>): Effect.Effect<A, E>
  /** Another one, for what must be asked after something of this one. */
  fresh(): Shared
}

export interface Turn {
  readonly shared: Shared
  /** Waits for the next one. */
  readonly over: Effect.Effect<void>
}

export interface Tail {
  /** The turn that is on; each hint and each sweep begins another one. */
  turn(): Turn
}

export interface Tails {
  /** Held until the scope closes. */
  of(id: ExecutionId): Effect.Effect<Tail, never, Scope.Scope>
}

export const make = Effect.fnUntraced(function* (waiters: Context.Service.Shape<typeof WakeupWaiters>) {
  const tails = yield* RcMap.make({
    lookup: Effect.fnUntraced(function* (id: ExecutionId): Effect.fn.Return<Tail, never, Scope.Scope> {
      const next = yield* waiters.on([`stream/execution/${id}`, `output/${id}`], sweepMillis)
      const scope = yield* Effect.scope
      let turn = turnIn(scope)
      const goOn = Effect.suspend(() => {
        const { end } = turn
        turn = turnIn(scope)
        return end
      })
      yield* next.pipe(Effect.andThen(goOn), Effect.forever, Effect.forkIn(scope))
      return { turn: () => turn }
    })
  })
  const all: Tails = { of: (id) => RcMap.get(tails, id) }
  return all
})

const turnIn = (scope: Scope.Scope) => {
  const waiting = new Set<() => void>()
  let isOver = false
  const over = Effect.callback<void>((resume) => {
    if (isOver) return resume(Effect.void)
    const wake = () => resume(Effect.void)
    waiting.add(wake)
    return Effect.sync(() => void waiting.delete(wake))
  })
  const end = Effect.gen(function* () {
    isOver = true
    const all = [...waiting]
    for (let at = 0; at < all.length; at += wokenAtOnce) {
      for (const wake of all.slice(at, at + wokenAtOnce)) wake()
      yield* Effect.yieldNow
    }
  })
  return { shared: sharedIn(scope), over, end }
}

/** The work goes on in the scope when the one who asked first goes away: others may wait for it. */
const sharedIn = (scope: Scope.Scope): Shared => {
  const answers = new Map<string, Fiber.Fiber<unknown, unknown>>()
  return {
    get: <A, E>(name: string, ask: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        const asked = answers.get(name) as Fiber.Fiber<A, E> | undefined
        if (asked !== undefined) return Fiber.join(asked)
        if (answers.size >= keptAnswers) return ask
        return Effect.flatMap(Effect.forkIn(ask, scope), (fiber) => {
          answers.set(name, fiber)
          return Fiber.join(fiber)
        })
      }),
    fresh: () => sharedIn(scope)
  }
}
