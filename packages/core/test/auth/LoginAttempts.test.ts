import { assert, describe, it } from "@effect/vitest"
import { charge, isLocked, type LoginAttempts } from "@fairlead/core/auth/users/LoginAttempts"
import { Schema } from "effect"

const policy = { failures: 5, windowMillis: 900_000 }
/** Pauses before the attempts, from none to longer than a window. */
const Pauses = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })))

/** The attempts of one key after the pauses, with the time of each. */
const run = (pauses: ReadonlyArray<number>) => {
  let known: LoginAttempts | undefined
  let now = 0
  return pauses.map((pause) => {
    now += pause
    known = charge(known, now, policy)
    return { now, known, locked: isLocked(known, policy) }
  })
}

describe("LoginAttempts.charge", () => {
  it.prop("lets through at most the policy's number in any stretch as long as the window", [Pauses], ([pauses]) => {
    const allowed = run([...pauses, ...pauses.map((pause) => Math.floor(pause / 100))]).filter(({ locked }) => !locked)
    for (const { now } of allowed) {
      const near = allowed.filter((other) => other.now >= now && other.now < now + policy.windowMillis)
      // Two windows may touch: the last attempts of one that did not lock, and the first of the next.
      assert.isAtMost(near.length, 2 * policy.failures - 1)
    }
  })

  it.prop("refuses only in the window's length after the attempt that locked", [Pauses], ([pauses]) => {
    const attempts = run(pauses.map((pause) => Math.floor(pause / 50)))
    for (const [i, { locked, now }] of attempts.entries()) {
      if (!locked) continue
      const locking = attempts.slice(0, i).findLast(({ known }) => known.count === policy.failures)
      assert.isBelow(now - (locking?.now ?? -Infinity), policy.windowMillis)
    }
  })

  it.prop("a refused attempt does not prolong the lock", [Pauses], ([pauses]) => {
    const burst = run([...Array.from({ length: 5 }, () => 0), ...pauses.map((pause) => pause % 1_000)])
    const ends = burst.filter(({ locked }) => locked).map(({ known }) => known.endsAt)
    assert.isAtMost(new Set(ends).size, 1 + Math.floor((burst.at(-1)?.now ?? 0) / policy.windowMillis))
  })

  it("locks for the length of a window from the fifth attempt", () => {
    const attempts = run([0, 100, 100, 100, 100, 1, 899_998, 1])
    assert.deepStrictEqual(
      attempts.map(({ locked }) => locked),
      [false, false, false, false, false, true, true, false]
    )
  })
})
