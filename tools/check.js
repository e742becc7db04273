// Runs every `check:*` script of package.json, two at a time, and sums up. Output of a part is shown only when it fails.
// `pnpm check` runs all, `pnpm check lint style` these; `--report <file>` also writes the figures as JSON.
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { parseArgs } from "node:util"
import { readJson, root } from "./workspace.js"

const limitSeconds = 600

const { values, positionals } = parseArgs({ allowPositionals: true, options: { report: { type: "string" } } })
const scripts = readJson(join(root, "package.json")).scripts
const all = Object.keys(scripts).flatMap((name) => (name.startsWith("check:") ? [name.slice("check:".length)] : []))
const unknown = positionals.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`No such check: ${unknown.join(", ")}. There are: ${all.join(", ")}.`)
  process.exit(2)
}

const env = { ...process.env, PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}` }

const run = (name) =>
  new Promise((done) => {
    const started = performance.now()
    let output = ""
    const child = spawn(scripts[`check:${name}`], {
      cwd: root,
      env,
      shell: true,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitSeconds * 1000
    })
    const collect = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding("utf8").on("data", collect)
    child.stderr.setEncoding("utf8").on("data", collect)
    child.on("close", (code) => {
      const seconds = (performance.now() - started) / 1000
      console.log(`${code === 0 ? "ok    " : "FAILED"} ${name.padEnd(10)} ${seconds.toFixed(1).padStart(5)} s`)
      if (code !== 0) console.log(output.trimEnd().replace(/^/gm, "       | "))
      done({ name, passed: code === 0, seconds })
    })
  })

const started = performance.now()
const queue = positionals.length > 0 ? [...positionals] : [...all]
const results = []
const worker = async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) results.push(await run(name))
}
await Promise.all([worker(), worker()])

const passed = results.filter((result) => result.passed).length
const failed = results.length - passed
const seconds = (performance.now() - started) / 1000
console.log(`${passed} checks passed, ${failed} failed, ${seconds.toFixed(0)} s`)
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify({ passed, failed, results }))
process.exitCode = failed === 0 ? 0 : 1
