/** One run: a seed decides who does what when, and what goes wrong. Then the world heals, and everything must come to its end. */
import { isTerminal } from "@fairlead/core/executions/ExecutionStatus"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { Context, DateTime, Effect } from "effect"
import { TestClock } from "effect/testing"
import { calm } from "./Gate.ts"
import { check, short, watch } from "./Invariants.ts"
import { checkOutput } from "./KeptOutput.ts"
import * as Notes from "./Notes.ts"
import { fromSeed } from "./Random.ts"
import { draw } from "./Requests.ts"
import { cancel, type Pending, remove, retry, submit, users } from "./User.ts"
import { make, pass, type Sabotage, type World } from "./World.ts"

const loseJob = Effect.fnUntraced(function* (world: World) {
  const machine = world.random.pick(world.machines)
  const running = yield* Effect.orDie(machine.running)
  if (running.length === 0) return
  const jobId = world.random.pick(running)
  world.note(`${machine.node} loses ${short(jobId)}`)
  yield* Effect.orDie(machine.lose(jobId))
})

/** One move of users, operators or fate. */
const act = Effect.fnUntraced(function* (world: World, pending: Array<Pending>) {
  const { random } = world
  const ids = [...world.view.subjects.keys()]
  const queue = Context.get(world.stores, QueueStore)
  const instance = random.pick(world.instances)
  const die = random.below(100)
  const now = yield* DateTime.now
  if (die < 45 || ids.length === 0) {
    const order = { ...draw(random, now, pending.length), user: random.pick(users) }
    pending.push(order)
    return yield* submit(world, order)
  }
  if (die < 50) {
    const keyed = pending.filter(({ request }) => request.idempotencyKey !== undefined)
    return keyed.length === 0 ? undefined : yield* submit(world, random.pick(keyed))
  }
  if (die < 62) return yield* cancel(world, random.pick(ids))
  if (die < 66) return yield* retry(world, random.pick(ids))
  if (die < 70) return yield* remove(world, random.pick(ids))
  if (die < 74) {
    const [scope, at] = [random.pick(["all", "process"] as const), now]
    if (random.chance(0.4)) return yield* Effect.orDie(queue.pause({ scope, at, by: "user-1", reason: "simulated" }))
    return yield* Effect.orDie(queue.resume(scope))
  }
  if (die < 76) return yield* Effect.orDie(queue.reprioritise(random.pick(ids), random.below(11), now))
  if (!world.plan.faulty) return undefined
  if (die < 79) return yield* loseJob(world)
  if (die < 82) return instance.crash()
  if (die < 85) return instance.freeze(random.pick([2_000, 12_000, 40_000]))
  if (die < 88) return yield* instance.stop
  if (die < 91) return instance.cutOff(random.pick([4_000, 8_000, 20_000]))
  return yield* instance.start
})

export const heal = Effect.fnUntraced(function* (world: World) {
  world.note("the world heals")
  world.chaos = calm
  const queue = Context.get(world.stores, QueueStore)
  yield* Effect.orDie(Effect.andThen(queue.resume("all"), queue.resume("process")))
  for (const instance of world.instances) {
    instance.thaw()
    yield* instance.start
  }
})

export const allEnded = Effect.fnUntraced(function* (world: World) {
  const { executions } = yield* Effect.orDie(Context.get(world.stores, ExecutionStore).list({ limit: 500, offset: 0 }))
  return executions.every(({ status }) => isTerminal(status))
})

const jobsLeft = (world: World) =>
  Effect.map(
    Effect.forEach(world.machines, ({ runtime }) => Effect.orDie(runtime.list)),
    (lists) => lists.some((jobs) => jobs.length > 0)
  )

/** How long everything may take to end after the last fault. */
const healMillis = 240_000
/** How long a job may stay in a place after the end of its execution: two rounds of the reaper. */
const reapMillis = 130_000

export interface Verdict {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  readonly trace: ReadonlyArray<string>
}

const play = Effect.fnUntraced(function* (seed: number, sabotage: Sabotage | undefined) {
  const random = fromSeed(seed ^ 0x5eed)
  const world = yield* make({
    seed,
    nodes: sabotage?.nodes ?? random.pick([["a"], ["a", "b"], ["a", "a"], ["a", "b", "c"], ["a", "a", "b"]]),
    maxRunning: 1 + random.below(3),
    perUser: random.pick([undefined, undefined, 1, 2]),
    faulty: true,
    sabotage
  })
  const look = watch(world)
  const broken = () => world.violations.size > 0
  for (const instance of world.instances) yield* instance.start
  yield* pass(world, 500, look)
  world.chaos = {
    failure: random.pick([0, 0.001, 0.01, 0.04]),
    delay: random.pick([0, 0.01, 0.05]),
    crash: random.pick([0, 0.0005, 0.003]),
    freeze: random.pick([0, 0.0005, 0.002]),
    loss: random.pick([0, 0.1, 0.5]),
    repeat: random.pick([0, 0.1, 0.4]),
    ...sabotage?.chaos
  }
  const pending: Array<Pending> = []
  let notes = 0
  for (let step = 0; step < 40 && !broken(); step++) {
    yield* act(world, pending)
    if (step % 10 === 5) yield* Notes.launch(world, notes++)
    // Now and then long enough for a silent host to be given up.
    yield* pass(world, random.chance(0.06) ? 30_000 : random.pick([0, 0, 250, 500, 1_000, 3_000]), look)
  }
  yield* heal(world)
  // Calls that are under way may still bring something new.
  if (!broken()) yield* pass(world, 21_000, look)
  for (
    let waited = 0;
    waited < healMillis && !broken() && !((yield* allEnded(world)) && (yield* Notes.allRead(world, notes)));
    waited += 5_000
  )
    yield* pass(world, 5_000, look)
  // Slots that were taken and that nobody confirmed; then what the reaper finds in its next two rounds.
  if (!broken()) yield* pass(world, 11_000, look)
  for (let waited = 0; waited < reapMillis && !broken() && (yield* jobsLeft(world)); waited += 5_000)
    yield* pass(world, 5_000, look)
  if (!broken()) yield* Effect.orDie(Effect.andThen(check(world), checkOutput(world)))
  if (!broken()) yield* Notes.check(world, world.notes, notes)
  if (!broken()) yield* probe(world, look)
  // The finalizers of a host take time: what is left of a crashed one goes after 9 s, and waits 2 s for an answer.
  for (const instance of world.instances) yield* instance.stop
  yield* pass(world, 12_000, Effect.void)
  return { seed, violations: [...world.violations], trace: world.trace } satisfies Verdict
})

/** Every slot still works: as many scripts as there are slots run at once. */
const probe = Effect.fnUntraced(function* (world: World, look: Effect.Effect<void>) {
  if (world.plan.perUser !== undefined) return
  const total = world.machines.length * world.plan.maxRunning
  const before = world.view.subjects.size
  const request = { script: "sleep 3000", lang: "lines", langVersion: "1" }
  for (let n = 0; n < total; n++) yield* submit(world, { request, natural: "completed", user: users[0] })
  yield* pass(world, 2_500, look)
  const running = [...world.view.subjects.values()].slice(before).filter(({ seen }) => seen.status === "running").length
  if (running !== total) world.violate(`only ${running} of ${total} scripts run at once: a slot has leaked`)
})

/** The same seed gives the same run. */
export const simulate = (seed: number, sabotage?: Sabotage): Effect.Effect<Verdict> =>
  play(seed, sabotage).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
