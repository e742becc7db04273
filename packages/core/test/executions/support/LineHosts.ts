/** Hosts that share their stores, on a clock in the hands of the tests. */

import { it } from "@effect/vitest"
import type { Principal } from "@fairlead/core/auth/Principal"
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import { Instances } from "@fairlead/core/health/Instances"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { Queue } from "@fairlead/core/queue/Queue"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as Stores from "@fairlead/core/Stores"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { alice, source } from "./MemoryHost.ts"

export const shared = Layer.mergeAll(Stores.layerMemory, Secrets.layerMemory)

/** A host with its own place; all hosts of a test share the stores. */
const hostOn = (node: string, maxRunning = 2) =>
  layerExecutions({ instanceName: node, maxRunning, nodeTimeoutMillis: 20_000 }).pipe(
    Layer.provideMerge(MemoryScriptRuntime.layer(undefined, node).pipe(Layer.provideMerge(ScriptRuntimes.layer)))
  )

export const started = Effect.fnUntraced(function* (node: string, maxRunning?: number) {
  const scope = yield* Scope.make()
  const services = yield* Layer.buildWithScope(Layer.fresh(hostOn(node, maxRunning)), scope)
  return {
    executions: Context.get(services, Executions),
    queue: Context.get(services, Queue),
    instances: Context.get(services, Instances),
    runtimes: Context.get(services, ScriptRuntimes),
    stop: Scope.close(scope, Exit.void)
  }
})
type Submitting = Context.Service.Shape<typeof Executions>

export const submitted = (
  executions: Submitting,
  request: Parameters<Submitting["submit"]>[1],
  caller: Principal = alice
) => Effect.map(executions.submit(caller, request, source), ({ executionId }) => executionId)
export const now = (executions: Submitting, id: ExecutionId, caller = alice) => executions.get(caller, id)
/** Lets the hosts do what is due within `seconds`, a little at a time. */
export const pass = (seconds: number) =>
  Effect.repeat(Effect.andThen(TestClock.adjust("250 millis"), Effect.yieldNow), { times: seconds * 4 })
export const statuses = (executions: Submitting, ids: ReadonlyArray<ExecutionId>, caller = alice) =>
  Effect.forEach(ids, (id) => Effect.map(now(executions, id, caller), ({ status }) => status))

export const test = <E>(name: string, work: Effect.Effect<void, E, Layer.Success<typeof shared>>) =>
  it.effect(name, () => Effect.provide(work, Layer.fresh(shared)), 20_000)
