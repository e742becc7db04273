import { assert, describe, it } from "@effect/vitest"
import { isLive, judgeRefresh, rotate, Session } from "@fairlead/core/auth/sessions/Session"
import { liveSession } from "@fairlead/testing/fixtures/AuthFixtures"
import { instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { DateTime, Equal, Schema } from "effect"

const graceMillis = 10_000
const after = (milliseconds: number) => DateTime.add(instant, { milliseconds })
const week = 7 * 24 * 3_600_000
const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30_000 }))

/** The session after its tokens `hash-1`, `t-1`, `t-2`, … were rotated, each after its pause. */
const rotated = (pauses: ReadonlyArray<number>) => {
  let [session, millis] = [liveSession(1), 0]
  for (const [i, pause] of pauses.entries()) {
    millis += pause
    session = rotate(session, { refreshHash: `t-${i + 1}`, at: after(millis), expiresAt: after(millis + week) })
  }
  return { session, millis }
}

describe("Session", () => {
  it.prop("survives a round trip through JSON", [Session], ([session]) => {
    const json = Schema.fromJsonString(Schema.toCodecJson(Session))
    assert.isTrue(Equal.equals(Schema.decodeSync(json)(Schema.encodeSync(json)(session)), session))
  })
})

describe("judgeRefresh", () => {
  it.prop(
    "rotates the current token, repeats the one before within the grace, and takes all older ones for reuse",
    [Schema.Array(Millis), Millis],
    ([pauses, wait]) => {
      const { millis, session } = rotated(pauses)
      const now = after(millis + wait)
      const hashes = ["hash-1", ...pauses.map((_, i) => `t-${i + 1}`)].reverse()
      for (const [age, hash] of hashes.entries()) {
        const inGrace = wait <= graceMillis ? "Replay" : "Reuse"
        const expected = age === 0 ? "Rotate" : age === 1 ? inGrace : "Reuse"
        assert.strictEqual(judgeRefresh(session, hash, now, graceMillis), expected)
      }
    }
  )

  it.prop(
    "knows nothing of a session that ended, whichever token comes",
    [Millis, Schema.Boolean],
    ([wait, revoked]) => {
      const { session } = rotated([5])
      const ended = revoked ? new Session({ ...session, revokedAt: after(6) }) : session
      const now = after(revoked ? 6 + wait : 5 + week + wait)
      assert.isFalse(isLive(ended, now))
      for (const hash of ["hash-1", "t-1", "other"])
        assert.strictEqual(judgeRefresh(ended, hash, now, graceMillis), "Unknown")
    }
  )

  it("counts the grace to the millisecond", () => {
    const { session } = rotated([5])
    assert.strictEqual(judgeRefresh(session, "hash-1", after(5 + graceMillis), graceMillis), "Replay")
    assert.strictEqual(judgeRefresh(session, "hash-1", after(6 + graceMillis), graceMillis), "Reuse")
  })
})

describe("rotate", () => {
  it("moves the current digest back, and the end forward", () => {
    const { session } = rotated([5, 7])
    const { previousHash, refreshHash, version } = session
    assert.deepStrictEqual(
      { previousHash, refreshHash, version },
      { previousHash: "t-1", refreshHash: "t-2", version: 3 }
    )
    assert.isTrue(isLive(session, after(12 + week - 1)))
    assert.isFalse(isLive(session, after(12 + week)))
  })
})
