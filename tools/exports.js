// Writes the `exports` of every publishable package from its source files. `--check` only compares.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const packages = ["core", "http", "client", "testing", "adapters/postgres", "adapters/process", "adapters/crypto"]

const modulesOf = (folder) =>
  !existsSync(folder)
    ? []
    : readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !entry.name.endsWith(".d.ts"))
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replace(/\.ts$/, ""))
        .filter((name) => !/(^|\/)(internal|generated)(\/|$)/.test(name))
        .sort()

let stale = 0
for (const name of packages) {
  const folder = join(root, "packages", name)
  const file = join(folder, "package.json")
  const manifest = JSON.parse(readFileSync(file, "utf8"))
  const modules = modulesOf(join(folder, "src"))
  const index = modules.includes("index")
  const key = (module) => (module === "index" ? "." : `./${module}`)
  manifest.exports = Object.fromEntries(modules.map((module) => [key(module), `./src/${module}.ts`]))
  manifest.publishConfig = {
    access: "public",
    exports: Object.fromEntries(
      modules.map((module) => [key(module), { types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` }])
    ),
    ...(index ? { main: "./dist/index.js", types: "./dist/index.d.ts" } : {})
  }
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  if (text === readFileSync(file, "utf8")) continue
  stale++
  if (process.argv.includes("--check")) console.error(`${relative(root, file)}: exports are stale; run pnpm gen`)
  else writeFileSync(file, text)
}
if (process.argv.includes("--check") && stale > 0) process.exitCode = 1
