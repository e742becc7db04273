/** What users do at any host that is up, and what they are told: each answer goes to the model of what they may see. */
import type { Principal } from "@fairlead/core/auth/Principal"
import { grantsOf } from "@fairlead/core/auth/roles/Role"
import type { ExecutionRequest } from "@fairlead/core/executions/ExecutionRequest"
import type { ExecutionStatus } from "@fairlead/core/executions/ExecutionStatus"
import type { Executions } from "@fairlead/core/executions/Executions"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { SessionId } from "@fairlead/core/ids/SessionId"
import { userId, uuid } from "@fairlead/testing/fixtures/Uuid"
import { Clock, type Context, Effect, Option, type Scope } from "effect"
import { short } from "./Invariants.ts"
import type { World } from "./World.ts"

type UseCases = Context.Service.Shape<typeof Executions>

const principal = (n: number): Principal => ({
  userId: userId(n),
  username: `user-${n}`,
  role: "admin",
  grants: grantsOf("admin"),
  credential: { _tag: "Bearer", sessionId: SessionId.make(uuid(n)) }
})
/** Both may do everything, so that what is refused is refused for another reason. */
export const users = [principal(1), principal(2)] as const
const [alice] = users
const source = { correlationId: "simulation" }

/** A user gives up on a call after this time and does not know what came of it. */
const patience = "20 seconds"

/** Makes a call at some host; `heard` is told the answer, if there is one. */
const call = <A, E>(
  world: World,
  what: string,
  use: (executions: UseCases) => Effect.Effect<A, E>,
  heard: (answer: A) => void,
  refused: (error: E) => void = () => undefined
): Effect.Effect<void, never, Scope.Scope> => {
  const executions = world.random.pick(world.instances).executions()
  if (executions === undefined) return Effect.void
  return use(executions).pipe(
    Effect.timeoutOption(patience),
    Effect.match({
      onFailure: (error) => {
        world.note(`${what}: ${Reflect.get(Object(error), "_tag")}`)
        refused(error as E)
      },
      onSuccess: (answer) => {
        world.note(`${what}: ${Option.isSome(answer) ? "done" : "no answer"}`)
        if (Option.isSome(answer)) heard(answer.value)
      }
    }),
    Effect.forkScoped,
    Effect.asVoid
  )
}

export interface Pending {
  readonly request: ExecutionRequest
  readonly natural: ExecutionStatus
  readonly user: Principal
}

export const submit = (world: World, { natural, request, user }: Pending) => {
  const asked = world.view
  return call(
    world,
    `submit ${request.script.replaceAll("\n", ";")} ${request.idempotencyKey ?? ""}`,
    (executions) => executions.submit(user, request, source),
    (execution) => {
      world.note(`${short(execution.executionId)} is acknowledged`)
      world.hear({ _tag: "Submitted", execution, request, natural, asked })
    }
  )
}

export const cancel = (world: World, id: ExecutionId) => {
  world.hear({ _tag: "CancelAsked", id })
  return call(
    world,
    `cancel ${short(id)}`,
    (executions) =>
      Effect.flatMap(executions.cancel(alice, id, undefined, source), ({ requested }) =>
        Effect.map(Clock.currentTimeMillis, (atMillis) => ({ requested, atMillis }))
      ),
    ({ atMillis, requested }) => requested && world.hear({ _tag: "CancelRequested", id, atMillis }),
    (error) => {
      if (error._tag === "ExecutionEnded") world.hear({ _tag: "RefusedAsEnded", id, status: error.executionStatus })
      if (error._tag === "ExecutionNotFound") world.hear({ _tag: "NotFound", id })
    }
  )
}

export const retry = (world: World, id: ExecutionId) => {
  const subject = world.view.subjects.get(id)
  if (subject === undefined) return Effect.void
  const { natural, request } = subject
  const { idempotencyKey: _, ttlMillis: __, runAt: ___, ...again } = request
  return call(
    world,
    `retry ${short(id)}`,
    (executions) => executions.retry(alice, id, source),
    (execution) => world.hear({ _tag: "Submitted", execution, request: again, natural }),
    (error) => {
      if (error._tag === "ExecutionActive") world.hear({ _tag: "RefusedAsActive", id, status: error.executionStatus })
      if (error._tag === "ExecutionNotFound") world.hear({ _tag: "NotFound", id })
    }
  )
}

export const remove = (world: World, id: ExecutionId) => {
  world.hear({ _tag: "RemoveAsked", id })
  return call(
    world,
    `remove ${short(id)}`,
    (executions) => executions.remove(alice, id, source),
    () => world.hear({ _tag: "Removed", id })
  )
}
