// Writes the version of @fairlead/http into the constant that health checks and the API document tell. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readJson, root } from "./workspace.js"

const file = join(root, "packages/http/src/api/Version.ts")
const { version } = readJson(join(root, "packages/http/package.json"))
const text = readFileSync(file, "utf8")
const wanted = text.replace(/(?<=^export const version = ").*(?="$)/m, version)

if (!wanted.includes(`export const version = "${version}"`)) throw new Error(`${file} has no version to write`)
if (wanted !== text && process.argv.includes("--check")) {
  console.error("packages/http/src/api/Version.ts is stale; run `pnpm gen`")
  process.exitCode = 1
} else if (wanted !== text) writeFileSync(file, wanted)
