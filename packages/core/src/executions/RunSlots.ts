/** How many scripts this host runs at once. Waiting executions are let in by priority, then in the order they came. */
import { Context, Deferred, Effect, Layer, type Scope } from "effect"
import type { ExecutionId } from "./ExecutionId.ts"

export interface RunSlot {
  /** Executions before this one in the line when it joined; 0 when a slot was free. */
  readonly ahead: number
  /** Waits for the slot. Interrupting leaves the line. */
  readonly granted: Effect.Effect<void>
}

interface Waiting {
  readonly executionId: ExecutionId
  readonly priority: number
  readonly granted: Deferred.Deferred<void>
}

export class RunSlots extends Context.Service<
  RunSlots,
  {
    /** Joins the line; the slot, or the place in the line, is given back when the scope closes or by `release`. */
    join(executionId: ExecutionId, priority: number): Effect.Effect<RunSlot, never, Scope.Scope>
    /** Counts an execution that runs already, beyond the limit if need be. No effect if it holds a slot. */
    hold(executionId: ExecutionId): Effect.Effect<void, never, Scope.Scope>
    /** Gives the slot back before the scope closes. No effect if it holds none. */
    release(executionId: ExecutionId): Effect.Effect<void>
    readonly usage: Effect.Effect<{ readonly running: number; readonly waiting: number; readonly maximum: number }>
  }
>()("@fairlead/core/executions/RunSlots") {
  static readonly layer = (maximum: number) =>
    Layer.sync(RunSlots, () => {
      const running = new Set<ExecutionId>()
      let line: ReadonlyArray<Waiting> = []

      const admit = Effect.suspend(() => {
        const free = Math.max(0, maximum - running.size)
        const admitted = line.slice(0, free)
        line = line.slice(free)
        for (const { executionId } of admitted) running.add(executionId)
        return Effect.forEach(admitted, ({ granted }) => Deferred.succeed(granted, undefined), { discard: true })
      })
      const release = (executionId: ExecutionId) =>
        Effect.suspend(() => {
          running.delete(executionId)
          line = line.filter((waiting) => waiting.executionId !== executionId)
          return admit
        })
      const enqueue = (waiting: Waiting) => {
        const place = line.findIndex(({ priority }) => priority > waiting.priority)
        const ahead = place === -1 ? line.length : place
        line = line.toSpliced(ahead, 0, waiting)
        return ahead
      }

      return RunSlots.of({
        join: Effect.fnUntraced(function* (executionId, priority) {
          const granted = yield* Deferred.make<void>()
          const ahead = yield* Effect.acquireRelease(
            Effect.sync(() => enqueue({ executionId, priority, granted })),
            () => release(executionId)
          )
          const full = running.size >= maximum
          yield* admit
          return { ahead: full ? ahead + 1 : 0, granted: Deferred.await(granted) }
        }),
        hold: (executionId) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.sync(() => running.add(executionId)),
              () => release(executionId)
            )
          ),
        release,
        usage: Effect.sync(() => ({ running: running.size, waiting: line.length, maximum }))
      })
    })
}
