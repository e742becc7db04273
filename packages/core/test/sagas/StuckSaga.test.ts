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
const here = { host: servingHost(1, [served("a")]), silentMillis: 0 }
const gone = { host: servingHost(2, [served("b")]), silentMillis: 60_000 }
const hosts = [here, gone]
const now = second(10)
/** One that `host-1` drives in its place. */
const driven = (change: Partial<Saga>) =>
  createdSaga(1, { state: "running", lane: "process/a", driver: "host-1", fence: 1, ...change })
const idle: Pick<SagaProgress, "open" | "openUndo"> = {}
const Parts = Schema.Struct({
  state: SagaState,
  parked: Schema.Boolean,
  lane: Schema.NullOr(Schema.Literals(["process/a", "process/b", "process/c"])),
  driver: Schema.NullOr(Schema.Literals(["host-1", "host-2", "host-3"])),
  fence: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })),
  entryFence: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))),
  known: Schema.Boolean,
  retrySeconds: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })))
})

const sagaWith = ({ driver, entryFence, fence, lane, parked, state }: typeof Parts.Type) =>
  createdSaga(1, {
    state,
    parked,
    fence,
    ...(lane === null ? {} : { lane }),
    ...(driver === null ? {} : { driver }),
    ...(entryFence === null ? {} : { lastEntry: { at: instant, fence: Math.min(entryFence, fence) } })
  })
const progressWith = ({ retrySeconds, state }: typeof Parts.Type): typeof idle => {
  if (retrySeconds === null) return idle
  return state === "compensating" ? { openUndo: open(retrySeconds) } : { open: open(retrySeconds) }
}

describe("whyStuck", () => {
  it.prop("never speaks of a saga that has ended", [Parts], ([parts]) => {
    const why = whyStuck(sagaWith(parts), progressWith(parts), hosts, parts.known, now)
    if (isEnded(parts.state)) assert.isUndefined(why)
  })

  it.prop("leaves alone only what a living host holds that can reach it and does not fail", [Parts], ([parts]) => {
    const saga = sagaWith(parts)
    if (isEnded(saga.state) || whyStuck(saga, progressWith(parts), hosts, parts.known, now) !== undefined) return
    assert.deepInclude(saga, { driver: "host-1", parked: false })
    assert.include([undefined, "process/a"], saga.lane)
    assert.isBelow(saga.fence - (saga.lastEntry?.fence ?? 0), 5)
  })

  it.prop("finds a saga that a dead host drove stuck, and none alive that gets on", [Parts], ([parts]) => {
    const [dead, alive] = [
      sagaWith({ ...parts, driver: "host-2" }),
      sagaWith({ ...parts, driver: "host-1", lane: null })
    ]
    if (!isEnded(parts.state)) assert.isDefined(whyStuck(dead, idle, hosts, parts.known, now))
    if (parts.parked || parts.fence > 4) return
    assert.isUndefined(whyStuck(alive, idle, hosts, parts.known, now))
  })

  const cases: ReadonlyArray<readonly [StuckReason | undefined, Saga, typeof idle, boolean]> = [
    ["not_dispatched", driven({ parked: true }), idle, true],
    ["not_dispatched", createdSaga(1), idle, true],
    ["no_host_for_lane", driven({ lane: "process/b" }), idle, true],
    ["no_host_for_lane", driven({ lane: "process/c" }), idle, false],
    ["no_definition", driven({ fence: 5 }), idle, false],
    ["driver_failing", driven({ fence: 9, lastEntry: { at: instant, fence: 4 } }), idle, true],
    ["driver_silent", driven({ driver: "host-2" }), idle, true],
    ["undo_failing", driven({ state: "compensating" }), { openUndo: open(5) }, true],
    ["waiting_for_retry", driven({}), { open: open(20) }, true],
    [undefined, driven({ fence: 8, lastEntry: { at: instant, fence: 4 } }), idle, true],
    [undefined, driven({}), { open: open(5) }, true],
    [undefined, driven({}), idle, false]
  ]
  it.each(cases)("says %s", (reason, saga, progress, known) => {
    assert.strictEqual(whyStuck(saga, progress, hosts, known, now)?.reason, reason)
  })
})
