// Installs the dependencies when the lockfile or a manifest changed since the last time, else does nothing (about 50 ms).
// Needs Node 20 and npm, nothing else; what it installs includes the Node 24 that everything then runs on.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readJson, root, workspacePackages } from "./workspace.js"

const pnpm = "pnpm@12.21.0"
const stampFile = join(root, "node_modules", ".fairlead-setup")

const wanted = () => {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${pnpm}\n`)
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(join(root, file)))
  for (const { folder, manifest } of [
    { folder: "", manifest: readJson(join(root, "package.json")) },
    ...workspacePackages()
  ]) {
    const { dependencies, devDependencies, peerDependencies, optionalDependencies } = manifest
    hash.update(JSON.stringify([folder, dependencies, devDependencies, peerDependencies, optionalDependencies]))
  }
  return hash.digest("hex")
}

const installed = (stamp) =>
  existsSync(stampFile) &&
  readFileSync(stampFile, "utf8") === stamp &&
  existsSync(join(root, "node_modules", ".bin", "node"))

const stamp = wanted()
if (!installed(stamp)) {
  const started = performance.now()
  console.error("Installing the dependencies (the first time this takes up to a minute) ...")
  const install = spawnSync("npx", ["-y", pnpm, "install", "--frozen-lockfile"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, CI: "true" },
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"]
  })
  if (install.status !== 0) {
    console.error(`${install.stdout ?? ""}${install.stderr ?? ""}${install.error?.message ?? ""}`)
    console.error("Installing the dependencies failed; the reason stands above.")
    process.exit(1)
  }
  writeFileSync(stampFile, stamp)
  console.error(`Installed in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
}
