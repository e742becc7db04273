/** What becomes of executions whose host does not come back, and of those whose host does. */
import { assert, describe } from "@effect/vitest"
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import type { JobSpec } from "@fairlead/core/runtime/Job"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import { RuntimeError } from "@fairlead/core/runtime/RuntimeError"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Journal } from "@fairlead/core/sagas/Journal"
import * as Faults from "@fairlead/testing/faults/Faults"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { now, pass, started, statuses, submitted, test } from "./support/LineHosts.ts"
import { alice, lines, source } from "./support/MemoryHost.ts"

const notAnswered = { runtime: "process", phase: "start", retryable: true, cause: "planned" } as const

describe("A host that is gone for good", () => {
  test(
    "loses what ran there within a minute, and says so; what had not begun runs elsewhere",
    Effect.gen(function* () {
      const a = yield* started("a", 1)
      const hangs = yield* submitted(a.executions, lines("out begun\nhang"))
      yield* pass(1)
      const waits = yield* submitted(a.executions, lines("out moved"))
      assert.deepStrictEqual(yield* statuses(a.executions, [hangs, waits]), ["running", "queued"])
      yield* a.stop
      const b = yield* started("b", 1)
      yield* pass(15)
      assert.deepStrictEqual(yield* statuses(b.executions, [hangs, waits]), ["running", "completed"])
      yield* pass(40)
      const lost = yield* b.executions.result(alice, hangs, 0)
      assert.deepInclude(lost.execution, { status: "error", attempt: 1 })
      assert.deepInclude(lost.execution.outcome, { errorType: "system_error", errorCause: "lost", stdoutBytes: 6 })
      assert.strictEqual(lost.stdout, "begun\n")
      yield* b.stop
    })
  )

  test(
    "is made up for by another attempt, if the policy wants one",
    Effect.gen(function* () {
      const a = yield* started("a", 1)
      const retryPolicy = { maxAttempts: 2, backoffMillis: 0, on: ["system_error" as const] }
      const id = yield* submitted(a.executions, lines("sleep 60000\nout done", { retryPolicy }))
      yield* pass(1)
      yield* a.stop
      const b = yield* started("b", 1)
      yield* pass(130)
      const again = yield* b.executions.result(alice, id, 0)
      assert.deepInclude(again.execution, { status: "completed", attempt: 2, nodeId: NodeId.make("process/b") })
      assert.deepInclude(again.execution.earlierAttempts?.[0], {
        attempt: 1,
        status: "error",
        nodeId: NodeId.make("process/a")
      })
      yield* b.stop
    })
  )

  test(
    "loses what it may have started, also when the start was reported as failed",
    Effect.gen(function* () {
      const node = yield* MemoryScriptRuntime.makeNode(undefined, "a")
      const unsure = Effect.map(node.instance, (runtime) => ({
        ...runtime,
        start: (spec: JobSpec) => Effect.andThen(runtime.start(spec), new RuntimeError(notAnswered))
      }))
      const instance = layerExecutions({ instanceName: "a", maxRunning: 1, nodeTimeoutMillis: 20_000 }).pipe(
        Layer.provide(
          Layer.effectDiscard(
            Effect.flatMap(ScriptRuntimes, (runtimes) => Effect.flatMap(unsure, runtimes.register))
          ).pipe(Layer.provideMerge(ScriptRuntimes.layer))
        )
      )
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(Layer.fresh(instance), scope)
      const id = yield* submitted(Context.get(services, Executions), lines("sleep 60000"))
      yield* pass(1)
      yield* Scope.close(scope, Exit.void)
      const b = yield* started("b", 1)
      yield* pass(60)
      const { outcome, status } = yield* now(b.executions, id)
      assert.deepStrictEqual([status, outcome?.errorCause], ["error", "lost"])
      yield* b.stop
    }).pipe(Effect.scoped)
  )

  let silent = false
  test(
    "is not waited for by a cancellation: what had not begun does not wait in the line to be ended",
    Effect.gen(function* () {
      const a = yield* started("a", 1)
      silent = true
      const id = yield* submitted(a.executions, lines("out never"))
      yield* pass(1)
      yield* a.executions.cancel(alice, id, "enough", source)
      yield* a.stop
      silent = false
      const b = yield* started("b", 1)
      const hangs = yield* submitted(b.executions, lines("hang"))
      yield* pass(50)
      assert.deepStrictEqual(yield* statuses(b.executions, [id, hangs]), ["cancelled", "running"])
      yield* b.stop
    }).pipe(Effect.provide(Faults.layerEvery(Journal, "append", () => silent, Faults.delay("1 hour"))))
  )

  test(
    "is not gone while it comes back in time: it goes on with what its place still holds",
    Effect.gen(function* () {
      const node = yield* MemoryScriptRuntime.makeNode(undefined, "a")
      const instance = layerExecutions({ instanceName: "a", maxRunning: 1, nodeTimeoutMillis: 20_000 }).pipe(
        Layer.provide(
          Layer.effectDiscard(
            Effect.flatMap(ScriptRuntimes, (runtimes) => Effect.flatMap(node.instance, runtimes.register))
          ).pipe(Layer.provideMerge(ScriptRuntimes.layer))
        )
      )
      const first = yield* Scope.make()
      const services = yield* Layer.buildWithScope(Layer.fresh(instance), first)
      const executions = Context.get(services, Executions)
      const id = yield* submitted(executions, lines("sleep 30000\nout done"))
      yield* pass(1)
      yield* Scope.close(first, Exit.void)
      const b = yield* started("b", 1)
      yield* pass(10)
      const second = yield* Scope.make()
      yield* Layer.buildWithScope(Layer.fresh(instance), second)
      yield* pass(40)
      assert.deepInclude(yield* now(b.executions, id), {
        status: "completed",
        attempt: 1,
        nodeId: NodeId.make("process/a")
      })
      yield* Scope.close(second, Exit.void)
      yield* b.stop
    }).pipe(Effect.scoped)
  )
})
