import { assert, describe, it } from "@effect/vitest"
import { isEnded, type Saga, SagaState } from "@fairlead/core/sagas/Saga"
import type { SagaProgress } from "@fairlead/core/sagas/SagaProgress"
import { type StuckReason, whyStuck } from "@fairlead/core/sagas/StuckSaga"
import { instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { second, served, servingHost } from "@fairlead/testing/fixtures/QueueFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { Schema } from "effect"

const failure = { type: "T", message: "no", retryable: true }
const open = (seconds: number) => ({ step: "start", attempt: 1, failure, retryAt: second(seconds) })
const here = { instance: servingHost(1, [served("a")]), sinceHeartbeatMillis: 0 }
const gone = { instance: servingHost(2, [served("b")]), sinceHeartbeatMillis: 60_000 }
const instances = [here, gone]
const now = second(10)
/** One that `instance-1` drives in its place. */
const executed = (change: Partial<Saga>) =>
  createdSaga(1, { state: "running", nodeId: "process/a", executor: "host-1", fence: 1, ...change })
const idle: Pick<SagaProgress, "open" | "openUndo"> = {}
const Parts = Schema.Struct({
  state: SagaState,
  suspended: Schema.Boolean,
  nodeId: Schema.NullOr(Schema.Literals(["process/a", "process/b", "process/c"])),
  executor: Schema.NullOr(Schema.Literals(["host-1", "host-2", "host-3"])),
  fence: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })),
  entryFence: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))),
  known: Schema.Boolean,
  retrySeconds: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })))
})

const sagaWith = ({ executor, entryFence, fence, nodeId, suspended, state }: typeof Parts.Type) =>
  createdSaga(1, {
    state,
    suspended,
    fence,
    ...(nodeId === null ? {} : { nodeId }),
    ...(executor === null ? {} : { executor }),
    ...(entryFence === null ? {} : { lastEntry: { at: instant, fence: Math.min(entryFence, fence) } })
  })
const progressWith = ({ retrySeconds, state }: typeof Parts.Type): typeof idle => {
  if (retrySeconds === null) return idle
  return state === "compensating" ? { openUndo: open(retrySeconds) } : { open: open(retrySeconds) }
}

describe("whyStuck", () => {
  it.prop("never speaks of a saga that has ended", [Parts], ([parts]) => {
    const why = whyStuck(sagaWith(parts), progressWith(parts), instances, parts.known, now)
    if (isEnded(parts.state)) assert.isUndefined(why)
  })

  it.prop("leaves alone only what a living host holds that can reach it and does not fail", [Parts], ([parts]) => {
    const saga = sagaWith(parts)
    if (isEnded(saga.state) || whyStuck(saga, progressWith(parts), instances, parts.known, now) !== undefined) return
    assert.deepInclude(saga, { executor: "host-1", suspended: false })
    assert.include([undefined, "process/a"], saga.nodeId)
    assert.isBelow(saga.fence - (saga.lastEntry?.fence ?? 0), 5)
  })

  it.prop("finds a saga that a dead host drove stuck, and none alive that makes progress", [Parts], ([parts]) => {
    const [dead, alive] = [
      sagaWith({ ...parts, executor: "host-2" }),
      sagaWith({ ...parts, executor: "host-1", nodeId: null })
    ]
    if (!isEnded(parts.state)) assert.isDefined(whyStuck(dead, idle, instances, parts.known, now))
    if (parts.suspended || parts.fence > 4) return
    assert.isUndefined(whyStuck(alive, idle, instances, parts.known, now))
  })

  const cases: ReadonlyArray<readonly [StuckReason | undefined, Saga, typeof idle, boolean]> = [
    ["not_dispatched", executed({ suspended: true }), idle, true],
    ["not_dispatched", createdSaga(1), idle, true],
    ["no_instance_for_node", executed({ nodeId: "process/b" }), idle, true],
    ["no_instance_for_node", executed({ nodeId: "process/c" }), idle, false],
    ["no_definition", executed({ fence: 5 }), idle, false],
    ["executor_failing", executed({ fence: 9, lastEntry: { at: instant, fence: 4 } }), idle, true],
    ["executor_silent", executed({ executor: "host-2" }), idle, true],
    ["undo_failing", executed({ state: "compensating" }), { openUndo: open(5) }, true],
    ["waiting_for_retry", executed({}), { open: open(20) }, true],
    [undefined, executed({ fence: 8, lastEntry: { at: instant, fence: 4 } }), idle, true],
    [undefined, executed({}), { open: open(5) }, true],
    [undefined, executed({}), idle, false]
  ]
  it.each(cases)("says %s", (reason, saga, progress, known) => {
    assert.strictEqual(whyStuck(saga, progress, instances, known, now)?.reason, reason)
  })
})
