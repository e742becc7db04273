/** What users may see, against the real core: hosts that come and go, and commands in any order and interleaving, without faults. */
import { assert, describe, it } from "@effect/vitest"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { completedExecution, queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { Context, DateTime, Effect, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { check, watch } from "./Invariants.ts"
import { checkOutput } from "./KeptOutput.ts"
import { scripts } from "./Requests.ts"
import { allEnded, heal } from "./Simulation.ts"
import { cancel, type Pending, remove, retry, submit, users } from "./User.ts"
import { empty, hear } from "./UserView.ts"
import { make, pass, type World } from "./World.ts"

const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11 }))
const Command = Schema.TaggedUnion({
  Submit: {
    script: Small,
    user: Schema.Literals([0, 1]),
    priority: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10 })),
    attempts: Schema.Literals([1, 2, 3]),
    backoffMillis: Schema.Literals([0, 900]),
    key: Schema.Literals(["", "k"]),
    delayMillis: Schema.Literals([0, 2_500]),
    ttlMillis: Schema.Literals([0, 3_000])
  },
  SubmitAgain: { which: Small },
  Cancel: { which: Small },
  Retry: { which: Small },
  Remove: { which: Small },
  Reprioritise: { which: Small, priority: Small },
  Pause: { scope: Schema.Literals(["all", "process"]) },
  Resume: { scope: Schema.Literals(["all", "process"]) },
  StopHost: {},
  StartHost: {},
  Pass: { millis: Schema.Literals([250, 500, 1_000, 2_000]) }
})
type Command = typeof Command.Type
const Commands = Schema.Array(Command).check(Schema.isMinLength(1), Schema.isMaxLength(40))

const pendingOf = (
  command: Extract<Command, { readonly _tag: "Submit" }>,
  now: DateTime.Utc,
  number: number
): Pending => {
  const { attempts, backoffMillis, delayMillis, key, priority, ttlMillis, user } = command
  const order = scripts[command.script % scripts.length]
  const { natural, script, timeoutMillis = 4_000 } = order ?? { natural: "completed", script: "" }
  const retryPolicy = { maxAttempts: attempts, backoffMillis, on: ["script_error" as const, "timeout" as const] }
  const request = {
    script,
    lang: "lines",
    langVersion: "1",
    limits: { timeoutMillis },
    priority,
    idempotencyKey: `key-${number}`,
    ...(attempts > 1 ? { retryPolicy } : {}),
    ...(key === "" ? {} : { concurrencyKey: key }),
    ...(delayMillis === 0 ? {} : { runAt: DateTime.add(now, { milliseconds: delayMillis }) }),
    ...(ttlMillis === 0 ? {} : { ttlMillis })
  }
  return { request, natural, user: users[user] }
}

const perform = Effect.fnUntraced(function* (world: World, pending: Array<Pending>, command: Command) {
  const now = yield* DateTime.now
  const queue = Context.get(world.stores, QueueStore)
  const ids = [...world.view.subjects.keys()]
  const idOf = (which: number) => ids[which % Math.max(1, ids.length)]
  if (command._tag === "Submit") {
    const order = pendingOf(command, now, pending.length)
    pending.push(order)
    return yield* submit(world, order)
  }
  if (command._tag === "SubmitAgain") {
    const order = pending[command.which % Math.max(1, pending.length)]
    return order === undefined ? undefined : yield* submit(world, order)
  }
  if (command._tag === "Pause")
    return yield* queue.pause({ scope: command.scope, at: now, by: "user-1", reason: "test" })
  if (command._tag === "Resume") return yield* queue.resume(command.scope)
  if (command._tag === "StopHost") return yield* world.instances[1]?.stop ?? Effect.void
  if (command._tag === "StartHost") return yield* world.instances[1]?.start ?? Effect.void
  if (command._tag === "Pass") return
  const id = idOf(command.which)
  if (id === undefined) return
  if (command._tag === "Cancel") return yield* cancel(world, id)
  if (command._tag === "Retry") return yield* retry(world, id)
  if (command._tag === "Remove") return yield* remove(world, id)
  return yield* queue.reprioritise(id, command.priority % 11, now)
})

const play = Effect.fnUntraced(function* (commands: ReadonlyArray<Command>) {
  const world = yield* make({ seed: commands.length, nodes: ["a", "a"], maxRunning: 2, faulty: false })
  const look = watch(world)
  for (const instance of world.instances) yield* instance.start
  yield* pass(world, 500, look)
  const pending: Array<Pending> = []
  for (const command of commands) {
    yield* perform(world, pending, command)
    if (command._tag === "Pass") yield* pass(world, command.millis, look)
  }
  yield* heal(world)
  // What was asked last may not have been heard yet.
  yield* pass(world, 2_000, look)
  for (let waited = 0; waited < 200_000 && !(yield* allEnded(world)); waited += 2_000) yield* pass(world, 2_000, look)
  yield* pass(world, 12_000, look)
  yield* check(world)
  yield* checkOutput(world)
  for (const instance of world.instances) yield* instance.stop
  yield* pass(world, 4_000, look)
  return world
})

describe("What a user sees", () => {
  it.effect.prop(
    "is what the model allows, whatever is asked in whatever order",
    [Commands],
    Effect.fnUntraced(
      function* ([commands]) {
        const { trace, violations } = yield* play(commands)
        assert.isTrue(violations.size === 0, [...violations, ...trace].join("\n"))
      },
      Effect.scoped,
      Effect.provide(TestClock.layer())
    ),
    { timeout: 60_000, arbitrary: { runs: Number(process.env["FAIRLEAD_SIMULATION_RUNS"] ?? 40) } }
  )
})

describe("The model of what a user sees", () => {
  const request = { script: "", lang: "lines", langVersion: "1" }
  const known = (view = empty(false)) =>
    Result.getOrThrow(hear(view, { _tag: "Submitted", execution: queuedExecution(1), request, natural: "completed" }))
  const ended = Result.getOrThrow(hear(known(), { _tag: "Seen", execution: completedExecution(1) }))

  it("refuses an execution that vanishes, moves after its end, or ends as it cannot", () => {
    const { executionId: id } = queuedExecution(1)
    const failed = completedExecution(1, { status: "failed" })
    assert.isTrue(Result.isFailure(hear(known(), { _tag: "NotFound", id })))
    assert.isTrue(Result.isFailure(hear(ended, { _tag: "Seen", execution: queuedExecution(1) })))
    assert.isTrue(Result.isFailure(hear(known(), { _tag: "Seen", execution: failed })))
  })

  it("takes an answer that was on its way while the execution moved, and refuses one from before the request", () => {
    const keyed = { ...request, idempotencyKey: "k" }
    const answer = { _tag: "Submitted" as const, natural: "completed" as const, request: keyed }
    const queued = queuedExecution(1)
    const first = Result.getOrThrow(hear(empty(false), { ...answer, execution: queued }))
    const moved = Result.getOrThrow(hear(first, { _tag: "Seen", execution: completedExecution(1) }))
    assert.deepStrictEqual(hear(moved, { ...answer, execution: queued, asked: first }), Result.succeed(moved))
    assert.isTrue(Result.isFailure(hear(moved, { ...answer, execution: queued, asked: moved })))
  })

  it("refuses a second execution for one key, and an id that two requests share", () => {
    const keyed = { ...request, idempotencyKey: "k" }
    const one = Result.getOrThrow(
      hear(empty(false), { _tag: "Submitted", execution: queuedExecution(1), request: keyed, natural: "completed" })
    )
    const answer = { _tag: "Submitted" as const, natural: "completed" as const }
    assert.isTrue(Result.isSuccess(hear(one, { ...answer, execution: queuedExecution(1), request: keyed })))
    assert.isTrue(Result.isFailure(hear(one, { ...answer, execution: queuedExecution(2), request: keyed })))
    assert.isTrue(Result.isFailure(hear(one, { ...answer, execution: queuedExecution(1), request })))
  })
})
