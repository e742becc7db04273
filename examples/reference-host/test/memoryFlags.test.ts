import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { hostFlags, hostMemory } from "./support/HostProcess.ts"

const settings = Object.entries(hostMemory).map(([name, value]) => `${name}=${value}`)
const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")
const [shebang = ""] = text("../src/main.ts").split("\n")

describe("the memory of a host", () => {
  it.each([
    ["npm start", JSON.parse(text("../../../package.json")).scripts.start],
    ["the command", shebang],
    ["the how-to for embedders", text("../../../docs/how-to/embed.md")]
  ])("is kept small by the same settings in %s as in what is tested", (_, found) => {
    const wanted = [...settings, ...hostFlags.filter((flag) => !flag.startsWith("--disable-warning"))]
    assert.deepStrictEqual(
      wanted.filter((each) => !found.includes(each)),
      []
    )
  })

  it("fits the line by which Linux finds the program of a command", () => {
    assert.isBelow(Buffer.byteLength(shebang), 256)
  })
})
