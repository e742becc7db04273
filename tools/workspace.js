// The packages of this workspace, read from pnpm-workspace.yaml. Plain JavaScript without dependencies: it runs before anything is installed, on Node 20.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

export const readJson = (file) => JSON.parse(readFileSync(file, "utf8"))

const patterns = () => {
  const text = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8")
  const list = text.match(/^packages:\n((?: +- .*\n)+)/m)
  if (list === null) throw new Error("pnpm-workspace.yaml has no list of packages")
  return [...list[1].matchAll(/- *"?([^"\n]+?)"? *$/gm)].map((match) => match[1])
}

const foldersOf = (pattern) => {
  if (!pattern.endsWith("/*")) return [pattern]
  const parent = pattern.slice(0, -2)
  if (!existsSync(join(root, parent))) return []
  return readdirSync(join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${parent}/${entry.name}`)
}

/** Every package of the workspace except the root, as `{ folder, manifest }`, sorted; `folder` is relative to the root. */
export const workspacePackages = () =>
  patterns()
    .flatMap(foldersOf)
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .sort()
    .map((folder) => ({ folder, manifest: readJson(join(root, folder, "package.json")) }))

/** The packages that are published: those not marked private. */
export const publishedPackages = () => workspacePackages().filter(({ manifest }) => manifest.private !== true)

/** Every file below a folder, relative to it, sorted; `node_modules`, `dist` and hidden folders are left out. */
export const filesBelow = (folder) => {
  const found = []
  const walk = (relative) => {
    for (const entry of readdirSync(join(folder, relative), { withFileTypes: true })) {
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`
      if (entry.isFile()) found.push(path)
      if (entry.isDirectory() && !/^(node_modules|dist|\..*)$/.test(entry.name)) walk(path)
    }
  }
  if (existsSync(folder)) walk("")
  return found.sort()
}

/** The modules of a package that others may import, as paths below `src` without extension; `internal` and `generated` folders are hidden. */
export const publicModules = (folder) =>
  filesBelow(join(root, folder, "src"))
    .filter((file) => file.endsWith(".ts") && !/\.(d|test-d)\.ts$/.test(file))
    .map((file) => file.slice(0, -".ts".length))
    .filter((module) => !/(^|\/)(internal|generated)(\/|$)/.test(module))
