/** Output that is stored is the output that the machine kept, byte by byte. */
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { jobIdOf } from "@fairlead/core/runtime/JobId"
import { Context, Effect } from "effect"
import { short } from "./Invariants.ts"
import type { World } from "./World.ts"

export const checkOutput = Effect.fnUntraced(function* (world: World) {
  const outputs = Context.get(world.stores, ExecutionOutputStore)
  const { executions } = yield* Context.get(world.stores, ExecutionStore).list({ limit: 500, offset: 0 })
  for (const execution of executions) {
    const { attempt, executionId, outcome } = execution
    const kept = world.machines.flatMap((machine) => machine.kept.get(jobIdOf(executionId, attempt)) ?? [])[0]
    if (kept === undefined || outcome === undefined) continue
    const stored = yield* outputs.read({ executionId, attempt }, "stdout", 0, 4 * 1024 ** 2)
    if (stored.some((byte, i) => kept.stdout[i] !== byte))
      world.violate(`the output of ${short(executionId)} is not what its job wrote`)
    if (stored.length !== outcome.stdoutBytes)
      world.violate(`${short(executionId)} has ${stored.length} bytes and says ${outcome.stdoutBytes}`)
    const complete = execution.status === "completed" || execution.status === "failed"
    if (complete && stored.length !== kept.stdout.length)
      world.violate(`${short(executionId)} has ${stored.length} of ${kept.stdout.length} bytes`)
  }
})
