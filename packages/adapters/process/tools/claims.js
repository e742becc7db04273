// Writes the table of what holds where, which the tests prove, between its markers into the documents that show it. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { table } from "../src/internal/claims.ts"

const markers = /(?<=<!-- claims: written by `pnpm gen` -->\n)[\s\S]*(?=<!-- end of claims -->)/

for (const name of ["SECURITY.md", "packages/adapters/process/README.md"]) {
  const file = fileURLToPath(new URL(`../../../../${name}`, import.meta.url))
  const text = readFileSync(file, "utf8")
  if (!markers.test(text)) throw new Error(`${name} has no place for the table of claims`)
  const wanted = text.replace(markers, () => `\n${table()}\n\n`)
  if (wanted === text) continue
  if (process.argv.includes("--check")) {
    console.error(`${name} is stale; run \`pnpm gen\``)
    process.exitCode = 1
  } else writeFileSync(file, wanted)
}
