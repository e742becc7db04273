import { assert, describe, it } from "@effect/vitest"
import { commonPasswords } from "@fairlead/core/auth/users/commonPasswords"
import { judgePassword, maximumPasswordLength } from "@fairlead/core/auth/users/PasswordPolicy"
import { Redacted, Result, Schema } from "effect"

const rulesOf = (password: string, username = "somebody", minimum = 8) =>
  Result.match(judgePassword(Redacted.make(password), username, minimum), {
    onFailure: ({ rules }): ReadonlyArray<string> => rules,
    onSuccess: (): ReadonlyArray<string> => []
  })

describe("judgePassword", () => {
  it.prop("asks for the minimum of characters, however many code units they have", [Schema.String], ([text]) => {
    const length = [...text].length
    assert.strictEqual(rulesOf(text, "no-such-name").includes("too_short"), length < 8)
    assert.isFalse(rulesOf(text, "no-such-name", 0).includes("too_short"))
  })

  it.prop("never refuses a password for its characters", [Schema.String, Schema.String], ([a, b]) => {
    const text = `${a}#8kQ¶z~¿${b}`
    assert.deepStrictEqual(rulesOf(text, "no-such-name"), [])
  })

  it.prop("refuses a password around the username, whatever the case", [Schema.String, Schema.String], ([a, b]) => {
    assert.include(rulesOf(`${a}SomeBody${b}`), "contains_username")
  })

  it("accepts up to the maximum, counted in characters", () => {
    assert.deepStrictEqual(rulesOf("ä".repeat(maximumPasswordLength)), [])
    assert.deepStrictEqual(rulesOf("🔑".repeat(maximumPasswordLength)), [])
    assert.deepStrictEqual(rulesOf("ä".repeat(maximumPasswordLength + 1)), ["too_long"])
    assert.deepStrictEqual(rulesOf("🔑".repeat(maximumPasswordLength + 1)), ["too_long"])
  })

  it.each([
    "password",
    "Password1",
    "QWERTY123",
    "iloveyou",
    "12345678",
    "changeme",
    "trustno1",
    "Brisbane",
    "30071982"
  ])("refuses %s", (text) => {
    assert.deepStrictEqual(rulesOf(text), ["too_common"])
  })

  it("names every broken rule", () => {
    assert.deepStrictEqual(rulesOf("bob", "bob"), ["too_short", "contains_username"])
    assert.deepStrictEqual(rulesOf("adminadmin", "admin", 12), ["too_short", "too_common", "contains_username"])
  })
})

describe("commonPasswords", () => {
  it("holds 5,000 and more, all as they are compared", () => {
    assert.isAtLeast(commonPasswords.size, 5_000)
    for (const text of commonPasswords) assert.isTrue(text === text.toLowerCase() && [...text].length >= 8, text)
  })
})
