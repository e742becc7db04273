import { assert, describe, it } from "@effect/vitest"
import { defaultQueueBounds, type QueueNewcomer, refusalOf } from "@fairlead/core/queue/QueueBounds"
import { Schema } from "effect"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const bounds = { maxActive: 1_000, maxActivePerUser: 200, maxPlanned: 500, maxPlannedPerUser: 50 }
const Counts = Schema.Struct({ active: upTo(1_500), planned: upTo(600) })
const Newcomer = Schema.Struct({
  isPlanned: Schema.Boolean,
  isAdmin: Schema.Boolean,
  own: Schema.Struct({ active: upTo(250), planned: upTo(60) }),
  everybody: Counts
})
const empty: QueueNewcomer = {
  isPlanned: false,
  isAdmin: false,
  own: { active: 0, planned: 0 },
  everybody: { active: 0, planned: 0 }
}
const refused = (change: Partial<QueueNewcomer>) => refusalOf({ ...empty, ...change }, bounds)

describe("refusalOf", () => {
  it.prop(
    "never lets anybody beyond their own bound, nor everybody beyond both bounds together",
    [Newcomer],
    ([newcomer]) => {
      if (refusalOf(newcomer, bounds) !== undefined) return
      const { everybody, isPlanned, own } = newcomer
      assert.isTrue(isPlanned ? own.planned < 50 : own.active < 200)
      assert.isBelow(everybody.active + everybody.planned, 1_500)
    }
  )

  it.prop(
    "gives whoever has little room, and administrators, wherever it gives others some",
    [Newcomer],
    ([newcomer]) => {
      const inBounds = {
        ...newcomer,
        own: { active: Math.min(newcomer.own.active, 199), planned: Math.min(newcomer.own.planned, 49) }
      }
      if (refusalOf({ ...inBounds, isAdmin: false }, bounds) !== undefined) return
      assert.isUndefined(refusalOf({ ...inBounds, isAdmin: true }, bounds))
      assert.isUndefined(refusalOf({ ...inBounds, own: { active: 0, planned: 0 } }, bounds))
    }
  )

  it("does not count what is planned for later against what may run now, nor the other way round", () => {
    const own = { active: 100, planned: 40 }
    assert.isUndefined(refused({ own, everybody: { active: 700, planned: 500 } }))
    assert.isUndefined(refused({ own, isPlanned: true, everybody: { active: 1_000, planned: 300 } }))
    assert.deepStrictEqual(refused({ own: { active: 0, planned: 50 }, isPlanned: true }), {
      scope: "planned",
      maximum: 50
    })
    assert.isUndefined(refused({ own: { active: 0, planned: 50 } }))
    assert.deepStrictEqual(refused({ own: { active: 200, planned: 0 } }), { scope: "user", maximum: 200 })
  })

  it("keeps the last fifth from many accounts that have much, and the last hundredth from all but administrators", () => {
    const much = { active: 100, planned: 0 }
    const little = { active: 1, planned: 0 }
    assert.deepStrictEqual(refused({ own: much, everybody: { active: 800, planned: 0 } }), {
      scope: "host",
      maximum: 800
    })
    assert.isUndefined(refused({ own: little, everybody: { active: 1_000, planned: 400 } }))
    const full = { active: 1_000, planned: 485 }
    assert.deepStrictEqual(refused({ own: little, everybody: full }), { scope: "host", maximum: 1_485 })
    assert.isUndefined(refused({ own: much, isAdmin: true, everybody: full }))
  })

  it("leaves a host with a bound of one its one execution", () => {
    const one = { ...defaultQueueBounds, maxActive: 1, maxActivePerUser: 1 }
    assert.isUndefined(refusalOf(empty, one))
    assert.isUndefined(refusalOf({ ...empty, own: { active: 0, planned: 3 } }, one))
  })
})
