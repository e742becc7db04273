// Writes `exports` and `publishConfig` of every published package from its source files: here imports resolve to src/*.ts, in the
// published package to dist/*.js. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { publicModules, publishedPackages, root } from "./workspace.js"

const check = process.argv.includes("--check")

const key = (module) => (module === "index" ? "." : `./${module}`)

const withExports = (manifest, modules) => ({
  ...manifest,
  exports: Object.fromEntries(modules.map((module) => [key(module), `./src/${module}.ts`])),
  publishConfig: {
    access: "public",
    exports: Object.fromEntries(
      modules.map((module) => [key(module), { types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` }])
    )
  }
})

let stale = 0
for (const { folder, manifest } of publishedPackages()) {
  // A package with a program and no modules to import (the reference host) has no `exports`.
  if (manifest.bin !== undefined) continue
  const file = join(root, folder, "package.json")
  const text = `${JSON.stringify(withExports(manifest, publicModules(folder)), null, 2)}\n`
  if (text === readFileSync(file, "utf8")) continue
  stale++
  if (check) console.error(`${folder}/package.json: exports are stale; run \`pnpm gen\``)
  else writeFileSync(file, text)
}
if (check && stale > 0) process.exitCode = 1
