// Writes the OpenAPI document of the whole API to `openapi.json` at the root of the repository. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Api } from "../src/api/Api.ts"
import { aliases } from "../src/api/compat/Aliases.ts"
import * as OpenApiSpec from "../src/server/OpenApiSpec.ts"

const file = fileURLToPath(new URL("../../../openapi.json", import.meta.url))

/** JSON with what fits into a line on one line, so that people can read how it changes. */
const width = 120
const printed = (value, indent, room) => {
  const flat = JSON.stringify(value)
  if (typeof value !== "object" || value === null || flat.length <= room - indent.length) return flat
  const inner = `${indent}  `
  const list = Array.isArray(value)
  const members = list
    ? value.map((each) => printed(each, inner, width - 1))
    : Object.entries(value).map(([name, each]) => {
        const head = `${JSON.stringify(name)}: `
        return head + printed(each, inner, width - head.length - 1)
      })
  const [open, close] = list ? "[]" : "{}"
  return `${open}\n${members.map((member) => inner + member).join(",\n")}\n${indent}${close}`
}
// What JSON leaves out, such as members that are undefined, is to be left out here too.
const text = `${printed(JSON.parse(JSON.stringify(OpenApiSpec.make(Api, aliases))), "", width)}\n`

const read = () => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}
if (!process.argv.includes("--check")) writeFileSync(file, text)
else if (read() !== text) {
  console.error("openapi.json is stale; run: node packages/http/tools/openapi.js")
  process.exitCode = 1
}
