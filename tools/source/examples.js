// Checks the code in our documentation: each `@example` of a doc comment, and each fenced block of a Markdown file marked "ts run" or "ts check".
// All of them must type-check; "run" and `@example` must also end with exit code 0 within a minute.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { filesBelow, root, workspacePackages } from "../workspace.js"

const limitMillis = 60_000
const work = join(root, ".cache", "examples")

const lineOf = (text, position) => text.slice(0, position).split("\n").length

/** The fenced blocks of a Markdown file that are marked, as `{ origin, code, runs }`. */
const inMarkdown = (file) => {
  const text = readFileSync(join(root, file), "utf8")
  return [...text.matchAll(/^```(?:ts|js) (run|check)\n([\s\S]*?)^```$/gm)].map((match) => ({
    origin: `${file}:${lineOf(text, match.index)}`,
    code: match[2],
    runs: match[1] === "run"
  }))
}

/** The `@example` blocks of the doc comments of a source file. */
const inSource = (file) => {
  const text = readFileSync(join(root, file), "utf8")
  return [...text.matchAll(/^ *\* @example/gm)].map((match) => {
    const comment = text.slice(match.index, text.indexOf("*/", match.index)).replace(/^ *\* ?/gm, "")
    const fence = comment.match(/```ts\n([\s\S]*?)\n```/)
    return { origin: `${file}:${lineOf(text, match.index)}`, code: fence?.[1], runs: true }
  })
}

const documents = ["docs", "packages", "examples", "bench"]
  .flatMap((folder) => filesBelow(join(root, folder)).map((file) => `${folder}/${file}`))
  .concat(
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "GLOSSARY.md"].filter((file) => existsSync(join(root, file)))
  )

const examples = documents.flatMap((file) => {
  if (file.endsWith(".md")) return inMarkdown(file)
  return /\/src\/.*\.ts$/.test(file) && !/\/generated\//.test(file) ? inSource(file) : []
})

/** A folder in which every package of the workspace, and whatever they depend on, can be imported by name. */
const prepare = () => {
  rmSync(work, { recursive: true, force: true })
  const link = (name, target) => {
    const path = join(work, "node_modules", name)
    if (existsSync(path) || !existsSync(target)) return
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(realpathSync(target), path)
  }
  for (const { folder, manifest } of workspacePackages()) link(manifest.name, join(root, folder))
  for (const { folder, manifest } of workspacePackages().filter((entry) => !entry.folder.startsWith("tools/")))
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }))
      link(name, join(root, folder, "node_modules", name))
  link("@types/node", join(root, "node_modules/@types/node"))
  const config = {
    extends: "../../tsconfig.base.json",
    compilerOptions: {
      lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
      noUnusedLocals: false,
      noUnusedParameters: false
    },
    include: ["*.ts"]
  }
  writeFileSync(join(work, "package.json"), '{ "type": "module" }\n')
  writeFileSync(join(work, "tsconfig.json"), JSON.stringify(config))
}

const faults = examples.flatMap(({ origin, code }) =>
  code === undefined ? [`${origin}: an @example without a "ts" block`] : []
)
const checked = examples
  .filter(({ code }) => code !== undefined)
  .map((example, index) => ({ ...example, file: `example${index + 1}.ts` }))

if (checked.length > 0) {
  prepare()
  for (const { code, file } of checked) writeFileSync(join(work, file), `${code}\nexport {}\n`)
  const types = spawnSync("tsc", ["-p", work, "--checkers", "1"], { encoding: "utf8" })
  // Faults of the packages themselves are told by `check:types`.
  const diagnostics = types.stdout.split(/\n(?=\S)/).filter((diagnostic) => /^\S*\bexample\d+\.ts\(/.test(diagnostic))
  for (const diagnostic of diagnostics)
    faults.push(
      diagnostic.replace(/^\S*\bexample(\d+)\.ts/, (_, number) => `${checked[number - 1].origin}, in the block:`)
    )
  if (types.error !== undefined) faults.push(`tsc: ${types.error.message}`)
  for (const { file, origin } of checked.filter((example) => example.runs)) {
    const result = spawnSync("node", [file], { cwd: work, encoding: "utf8", timeout: limitMillis })
    if (result.status !== 0)
      faults.push(`${origin}: ends with ${result.status ?? result.signal}\n${result.stdout}${result.stderr}`)
  }
  rmSync(work, { recursive: true, force: true })
}

for (const fault of faults) console.error(fault)
console.log(`${examples.length} examples, ${faults.length} faults`)
if (faults.length > 0) process.exitCode = 1
