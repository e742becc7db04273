import { assert, describe, it } from "@effect/vitest"
import { languageNamed, versionWhenAbsent } from "@fairlead/core/runtime/Language"

describe("languageNamed", () => {
  it.each([
    ["sh", "bash"],
    ["Shell", "bash"],
    ["js", "javascript"],
    ["ts", "typescript"],
    ["python3", "python"],
    ["py", "python"],
    ["PYTHON", "python"],
    ["golang", "go"],
    ["cobol", "cobol"],
    ["constructor", "constructor"]
  ])("knows %s as %s", (name, language) => {
    assert.strictEqual(languageNamed(name), language)
    assert.strictEqual(languageNamed(languageNamed(name)), language)
  })
})

describe("versionWhenAbsent", () => {
  it("is 3.11 of Python, whatever it is called, and else the newest", () => {
    assert.deepStrictEqual(["python", "py", "bash", "node", "cobol"].map(versionWhenAbsent), [
      "3.11",
      "3.11",
      "latest",
      "latest",
      "latest"
    ])
  })
})
