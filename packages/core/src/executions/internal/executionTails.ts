/**
 * What the followers of one execution on this instance read together. They are woken together, and whoever asks for what another one has asked for
 * since then shares the answer: a thousand followers at the end of an execution cost the stores as much as one.
 */
import { type Context, Effect, type Exit, RcMap, type Scope } from "effect"
import type { ExecutionId } from "../../ids/ExecutionId.ts"
import * as CrowdLatch from "../../wakeups/CrowdLatch.ts"
import type { WakeupWaiters } from "../../wakeups/WakeupWaiters.ts"

/** Different answers that are kept for others who ask; beyond that each asks the stores. */
const keptAnswers = 8
/** Hints may be lost, so followers look by themselves as well. */
const sweepMillis = 1_000

/** What a store was asked for. */
export interface Answer<A, E> {
  /** `undefined` while nobody knows. */
  exit(): Exit.Exit<A, E> | undefined
  /** Calls `wake` once when the answer is there, or now. */
  onExit(wake: () => void): void
}

/** Answers that are no older than this object. */
export interface Shared {
  /** The answer of `ask`, or of whoever asked under this name before. Does not wait for it. */
  ask<A, E>(name: string, ask: Effect.Effect<A, E>): Effect.Effect<Answer<A, E>>
  /** The same, and waits. */
  get<A, E>(name: string, ask: Effect.Effect<A, E>): Effect.Effect<A, E>
}

export interface Turn {
  readonly shared: Shared
  /** Waits for the next one. */
  readonly over: Effect.Effect<void>
  /** Calls `wake` once when the next one begins, or now if it has begun. */
  onOver(wake: () => void): void
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
      let [turn, end] = turnIn(scope)
      const goOn = Effect.suspend(() => {
        const before = end
        ;[turn, end] = turnIn(scope)
        return before
      })
      yield* next.pipe(Effect.andThen(goOn), Effect.forever, Effect.forkIn(scope))
      return { turn: () => turn }
    })
  })
  const all: Tails = { of: (id) => RcMap.get(tails, id) }
  return all
})

/** A turn, and what ends it. */
const turnIn = (scope: Scope.Scope): readonly [Turn, Effect.Effect<void>] => {
  const { await: over, join, open } = CrowdLatch.make()
  return [{ shared: sharedIn(scope), over, onOver: join }, open]
}

interface Asked<A, E> extends Answer<A, E> {
  readonly get: Effect.Effect<A, E>
}

/** The work goes on in the scope when the one who asked first goes away: others may wait for it. */
const sharedIn = (scope: Scope.Scope): Shared => {
  const answers = new Map<string, Asked<unknown, unknown>>()
  const asked = <A, E>(name: string, ask: Effect.Effect<A, E>) =>
    Effect.suspend((): Effect.Effect<Asked<A, E>> => {
      const known = answers.get(name) as Asked<A, E> | undefined
      if (known !== undefined) return Effect.succeed(known)
      const [answer, work] = answerOf(ask)
      if (answers.size < keptAnswers) answers.set(name, answer)
      return Effect.as(Effect.forkIn(work, scope), answer)
    })
  return { ask: asked, get: (name, ask) => Effect.flatMap(asked(name, ask), ({ get }) => get) }
}

/** The answer, and the work that finds it. */
const answerOf = <A, E>(ask: Effect.Effect<A, E>): readonly [Asked<A, E>, Effect.Effect<unknown, E>] => {
  const settled = CrowdLatch.make()
  let found: Exit.Exit<A, E> | undefined
  const exit = () => found
  const get = Effect.andThen(
    settled.await,
    Effect.suspend(() => found ?? Effect.interrupt)
  )
  const work = Effect.onExit(ask, (exit) => {
    found = exit
    return settled.open
  })
  return [{ exit, get, onExit: settled.join }, work]
}
