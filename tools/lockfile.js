// Holds what is installed to exact, checksummed versions from the public npm registry: no ranges in our manifests, no other host, no git or
// tarball address, no entry without a checksum, install scripts only where pnpm-workspace.yaml names them.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { publishedPackages, readJson, root, workspacePackages } from "./workspace.js"

const faults = []
const manifests = [{ folder: ".", manifest: readJson(join(root, "package.json")) }, ...workspacePackages()]

const exact = /^(\d+\.\d+\.\d+(-[\w.]+)?|workspace:\*|npm:(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+)$/
for (const { folder, manifest } of manifests)
  for (const kind of ["dependencies", "devDependencies", "optionalDependencies"])
    for (const [name, version] of Object.entries(manifest[kind] ?? {}))
      if (!exact.test(version))
        faults.push(`${folder}/package.json: ${kind}.${name} is "${version}", not an exact version`)

const versions = new Set(publishedPackages().map(({ manifest }) => manifest.version))
if (versions.size > 1) faults.push(`published packages differ in version: ${[...versions].join(", ")}`)

const lockfile = readFileSync(join(root, "pnpm-lock.yaml"), "utf8")
const resolutions = [...lockfile.matchAll(/^ {2}'?([^\s'].*?)'?:\n {4}resolution: (.*)$/gm)]
if (resolutions.length !== [...lockfile.matchAll(/^ {4}resolution:/gm)].length || resolutions.length === 0)
  faults.push("pnpm-lock.yaml: this check does not know its format")
for (const [, name, resolution] of resolutions)
  if (!/^\{integrity: sha512-[\w+/=]+\}$/.test(resolution))
    faults.push(`pnpm-lock.yaml: ${name} comes from ${resolution}`)

for (const [, address] of lockfile.matchAll(/(https?:\/\/[^\s'"},]+|git\+[^\s'"},]+)/g))
  if (!address.startsWith("https://registry.npmjs.org/")) faults.push(`pnpm-lock.yaml: names ${address}`)

for (const folder of manifests.map((entry) => entry.folder)) {
  const file = join(root, folder, ".npmrc")
  if (existsSync(file) && /registry|_auth/i.test(readFileSync(file, "utf8")))
    faults.push(`${folder}/.npmrc sets a registry`)
}

for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
