import { assert, describe, it } from "vitest"
import { faultsOf } from "../faults.js"

const inCore = (code) => faultsOf("packages/core/src/ids/Planted.ts", `/** A module. */\n${code}\n`)
const reasons = (faults) => faults.map((fault) => fault.replace(/^\S+ /, "").split(":")[0])

describe("faultsOf, in Effect code", () => {
  it.each([
    ["async", "export const f = async () => 1"],
    ["try", "export function f() { try { g() } finally { g() } }"],
    ["throw", "export function f() { throw new Error() }"],
    ["as", "export const a = b as string"],
    ["type assertion", "export const a = <string>b"],
    ["!", "export const a = b!.c"],
    ["any", "export const a = (b: any) => b"],
    ["Date", "export const a = new Date()"],
    ["Date", "export const a = (b: Date) => b"],
    ["console", "console.log(1)"],
    ["Math.random", "export const a = Math.random()"],
    ["process.env", "export const a = process.env"],
    ["Effect.runSync", "export const a = Effect.runSync(b)"],
    ["concurrency", 'export const a = { concurrency: "unbounded" }']
  ])("refuses %s", (reason, code) => {
    assert.deepStrictEqual(reasons(inCore(code)), [reason])
  })

  it.each([
    ["words in strings", 'export const a = "async throw new Date() as any"'],
    ["words in comments", "// async, try, throw, as any, console\nexport const a = 1"],
    ["words in templates", `export const a = \`\${b} // TODO throw as\``],
    ["as const", "export const a = [1] as const"],
    ["names of members", "export const a = { Date: b.Date, console: 1 }"],
    ["a note with its issue", "// TODO #12: shorter\nexport const a = 1"]
  ])("accepts %s", (_, code) => {
    assert.deepStrictEqual(inCore(code), [])
  })

  it("leaves internal files and other packages alone", () => {
    const code = "/** A module. */\nexport const f = async () => 1\n"
    assert.deepStrictEqual(faultsOf("packages/core/src/ids/internal/planted.ts", code), [])
    assert.deepStrictEqual(faultsOf("packages/client/src/Planted.ts", code), [])
  })
})

describe("faultsOf, in every module", () => {
  const lines = (count) => "// a line\n".repeat(count)

  it.each([
    ["no comment at the top that says what this module is", "packages/client/src/A.ts", "export const a = 1\n"],
    ["301 lines; split above 300", "bench/src/a.ts", lines(301)],
    ["a note of unfinished work without an issue number", "bench/src/a.ts", "// FIXME\n"],
    ["this folder name says nothing; use the area's word", "packages/client/src/utils/A.ts", "// A module.\n"],
    [
      "file names are PascalCase, or camelCase when the main export is a function",
      "packages/client/src/a-b.ts",
      "// A module.\n"
    ],
    [
      "a function of 71 lines; 70 is the limit",
      "packages/client/src/A.ts",
      `// A module.\nexport const a = () => {\n${lines(69)}}\n`
    ]
  ])("tells: %s", (message, file, text) => {
    assert.deepStrictEqual(faultsOf(file, text), [`${file}:${message.startsWith("a function") ? 2 : 1} ${message}`])
  })

  it("accepts 300 lines, functions of 70, and longer bodies of layers", () => {
    assert.deepStrictEqual(faultsOf("bench/src/a.ts", lines(300)), [])
    const body = `() => {\n${lines(68)}}`
    assert.deepStrictEqual(faultsOf("packages/client/src/A.ts", `// A module.\nexport const a = ${body}\n`), [])
    const layer = `// A module.\nexport const a = Layer.effect(B, () => {\n${lines(100)}})\n`
    assert.deepStrictEqual(faultsOf("packages/client/src/A.ts", layer), [])
  })
})

describe("faultsOf, in tests", () => {
  it("refuses expect and tests left behind", () => {
    const code = 'it.only("a", () => { expect(1).toBe(1) })\n'
    assert.deepStrictEqual(reasons(faultsOf("packages/core/test/ids/A.test.ts", code)), ["it.only", "expect"])
  })
})
