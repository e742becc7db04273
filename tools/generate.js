// Runs every generator, in the order in which one reads what another wrote. With `--check` each only compares, and all that is stale is named.
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { root } from "./workspace.js"

const generators = [
  "tools/version.js",
  "tools/exports.js",
  "packages/core/tools/commonPasswords.js",
  "packages/http/tools/openapi.js",
  "packages/client/tools/generate.js",
  "examples/reference-host/tools/reference.js",
  "packages/adapters/process/tools/claims.js",
  "tools/source/names.js"
]

const check = process.argv.includes("--check")
let failed = 0
for (const generator of generators) {
  const { status } = spawnSync("node", [join(root, generator), ...(check ? ["--check"] : [])], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"]
  })
  if (status === 0) continue
  failed++
  // A generator reads what the ones before it wrote, so a failure to write ends the run.
  if (!check) break
}
if (failed > 0) process.exitCode = 1
