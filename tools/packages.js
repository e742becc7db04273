// Builds every published package, packs it as npm would get it, and checks the tarballs: publint and attw are silent, nothing but what is meant
// to be published is inside, and in a project that has only the tarballs every module imports and the host serves.
import { execFile, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { publishedPackages, readJson, root } from "./workspace.js"

const published = publishedPackages()
const faults = []
const work = mkdtempSync(join(tmpdir(), "fairlead-packages-"))

/** Runs a program to its end; answers `{ ok, output }`. */
const run = (command, args, options) =>
  promisify(execFile)(command, args, { cwd: root, maxBuffer: 64 * 1024 * 1024, timeout: 300_000, ...options }).then(
    ({ stdout, stderr }) => ({ ok: true, output: stdout + stderr }),
    (error) => ({ ok: false, output: `${error.stdout ?? ""}${error.stderr ?? ""}` || error.message })
  )

const mustRun = async (label, command, args, options) => {
  const { ok, output } = await run(command, args, options)
  if (!ok) faults.push(`${label}\n${output.trimEnd()}`)
  return output
}

const unwanted = /(^|\/)(\.env|\.npmrc|test|tests|src|node_modules)(\/|$)|\.(map|tsbuildinfo|tgz|log)$|(?<!\.d)\.ts$/

/** Types as a consumer sees them, in Node and in a bundler. Shows only the modules with a fault. */
const checkTypes = async (name, tarball) => {
  const { ok, output } = await run("attw", [
    tarball,
    "--profile",
    "esm-only",
    "--format",
    "ascii",
    "--no-definitely-typed"
  ])
  if (ok) return
  const isBad = (block) => block.split("\n").some((line) => line.includes(": ") && !/🟢|\(ignored\)/u.test(line))
  faults.push(
    `${name}: attw\n${output
      .split(/\n\*+\n/)
      .filter(isBad)
      .join("\n")}`
  )
}

/** Packs one package and checks its tarball; unpacks it into the project that imports all of them. */
const checkPackage = async ({ folder, manifest: { name, bin } }) => {
  const tarball = join(work, `${name.replace("@", "").replace("/", "-")}.tgz`)
  await mustRun(`${name}: pnpm pack`, "pnpm", ["pack", "--out", tarball], { cwd: join(root, folder) })
  const files = (await mustRun(`${name}: tar`, "tar", ["tzf", tarball]))
    .trim()
    .split("\n")
    .map((file) => file.replace(/^package\//, ""))
  for (const file of files) if (unwanted.test(file)) faults.push(`${name}: the tarball holds ${file}`)
  for (const file of ["LICENSE", "README.md"])
    if (!files.includes(file)) faults.push(`${name}: the tarball has no ${file}`)
  await mustRun(`${name}: publint`, "publint", ["run", tarball, "--strict"])
  if (bin === undefined) await checkTypes(name, tarball)
  const target = join(work, "project/node_modules", name)
  mkdirSync(target, { recursive: true })
  await mustRun(`${name}: unpack`, "tar", ["xzf", tarball, "-C", target, "--strip-components=1"])
  return {
    folder,
    name,
    target,
    program: bin !== undefined,
    files: files.length,
    kilobytes: Math.ceil(statSync(tarball).size / 1024)
  }
}

/** Gives the project the other dependencies of a package, as installed here. */
const linkDependencies = ({ folder, target }) => {
  const { dependencies, peerDependencies } = readJson(join(target, "package.json"))
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (published.some(({ manifest }) => manifest.name === name)) continue
    const link = join(target, "node_modules", name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(root, folder, "node_modules", name)), link)
  }
}

const importAll = async (packed) => {
  const specifiers = packed.flatMap(({ name, target }) =>
    Object.keys(readJson(join(target, "package.json")).exports ?? {}).map((key) => `${name}${key.slice(1)}`)
  )
  const program = specifiers.map((specifier) => `import ${JSON.stringify(specifier)}`).join("\n")
  writeFileSync(join(work, "project/all.mjs"), `${program}\nconsole.log("imported")\n`)
  const output = await mustRun("importing every module of the tarballs", "node", ["all.mjs"], {
    cwd: join(work, "project")
  })
  if (faults.length === 0 && !output.includes("imported")) faults.push(`importing every module ended early\n${output}`)
  return specifiers.length
}

/** Starts the packed host on a free port with an empty folder, asks whether it is ready, and tells it to stop. */
const serve = async ({ name, target }) => {
  const [program] = Object.values(readJson(join(target, "package.json")).bin)
  const child = spawn("node", ["--liftoff-only", join(target, program), "serve"], {
    env: {
      PATH: process.env.PATH,
      HOME: work,
      FAIRLEAD_PORT: "0",
      FAIRLEAD_DATA_DIR: join(work, "data"),
      FAIRLEAD_PROCESS_RUNTIME: "on",
      FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER: "on",
      FAIRLEAD_ADMIN_PASSWORD: "steady-Anchor-0001"
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000
  })
  let output = ""
  const ended = new Promise((done) => child.once("close", done))
  const listens = new Promise((done) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk) => {
        output += chunk
        const url = /listens on (http:\/\/\S+)/.exec(output)?.[1]
        if (url !== undefined) done(url)
      })
  })
  const url = await Promise.race([listens, ended.then(() => undefined)])
  const ready = url === undefined ? undefined : await fetch(`${url}/api/v1/health/ready`)
  if (ready?.status !== 200)
    faults.push(`${name}: the packed host is not ready\n${output}${(await ready?.text()) ?? ""}`)
  child.kill("SIGTERM")
  const code = await ended
  if (code !== 0) faults.push(`${name}: the packed host ended with ${code} when told to stop\n${output}`)
}

try {
  const build = await run("pnpm", ["run", "build"])
  if (!build.ok) faults.push(`pnpm build\n${build.output}`)
  else {
    const packed = []
    for (const entry of published) packed.push(await checkPackage(entry))
    packed.forEach(linkDependencies)
    const modules = await importAll(packed)
    if (faults.length === 0) for (const host of packed.filter(({ program }) => program)) await serve(host)
    for (const { name, files, kilobytes } of packed) console.log(`${name}: ${files} files, ${kilobytes} KB packed`)
    console.log(`${packed.length} packages, ${modules} modules imported`)
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
for (const fault of faults) console.error(fault)
if (faults.length > 0 || published.length === 0) process.exitCode = 1
