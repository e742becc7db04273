// Writes the OpenAPI document of the whole API to `openapi.json` at the root of the repository. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Api } from "../src/api/Api.ts"
import { aliases } from "../src/api/compat/Aliases.ts"
import * as OpenApiSpec from "../src/server/OpenApiSpec.ts"

const file = fileURLToPath(new URL("../../../openapi.json", import.meta.url))
const text = `${JSON.stringify(OpenApiSpec.make(Api, aliases), null, 2)}\n`

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
