/** The whole core over memory adapters: the real engine, driver and saga; scripts are lines of directions. */

import { it } from "@effect/vitest"
import type { Principal } from "@fairlead/core/auth/Principal"
import { grantsOf } from "@fairlead/core/auth/roles/Role"
import { EventLog } from "@fairlead/core/events/EventLog"
import type { ExecutionRequest } from "@fairlead/core/executions/ExecutionRequest"
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { SessionId } from "@fairlead/core/ids/SessionId"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as Stores from "@fairlead/core/Stores"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { userId, uuid } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer } from "effect"

const principal = (n: number, role: "user" | "admin" | "operator" = "user"): Principal => ({
  userId: userId(n),
  username: `user-${n}`,
  role,
  grants: grantsOf(role),
  credential: { _tag: "Bearer", sessionId: SessionId.make(uuid(n)) }
})
export const [alice, bob, admin] = [principal(1), principal(2), principal(3, "admin")]
export const source = { correlationId: "c-1" }
export const lines = (script: string, more: Partial<ExecutionRequest> = {}): ExecutionRequest => ({
  script,
  lang: "lines",
  langVersion: "1",
  ...more
})

export const instance = (maxRunning = 10) =>
  layerExecutions({ instanceName: "host-a", maxRunning }).pipe(
    Layer.provideMerge(MemoryScriptRuntime.layer()),
    Layer.provideMerge(Layer.mergeAll(Stores.layerMemory, Secrets.layerMemory, ScriptRuntimes.layer))
  )
export type Instance = Layer.Success<ReturnType<typeof instance>>
export const live = <E>(name: string, work: Effect.Effect<void, E, Instance>, maxRunning?: number) =>
  it.live(name, () => Effect.provide(work, instance(maxRunning)), 10_000)

export const submit = (request: ExecutionRequest, caller = alice) =>
  Effect.flatMap(Executions, (executions) => executions.submit(caller, request, source))
export const result = (id: ExecutionId, caller = alice) =>
  Effect.flatMap(Executions, (executions) => executions.result(caller, id, 5_000))
export const run = (request: ExecutionRequest) =>
  Effect.flatMap(submit(request), ({ executionId }) => result(executionId))
export const tagsOf = (id: ExecutionId) =>
  Effect.flatMap(EventLog, (log) => log.readStream(`execution/${id}`, { afterVersion: 0, limit: 100 })).pipe(
    Effect.map((events) => events.map(({ event }) => event._tag))
  )
export const running = (id: ExecutionId) =>
  Effect.flatMap(Executions, (executions) => executions.get(alice, id)).pipe(
    Effect.delay("5 millis"),
    Effect.repeat({ until: ({ status }) => status === "running", times: 1000 })
  )
