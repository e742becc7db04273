// `pnpm new:area projects` and `pnpm new:adapter nats`: copies the templates of tools/scaffold under the new word, registers what a machine can
// register, and says what is left to a person. Refuses to touch what exists. The templates are an area and an adapter named "spare-parts".
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { parseArgs } from "node:util"
import { filesBelow, publishedPackages, root } from "./workspace.js"

const stop = (reason) => {
  console.error(reason)
  process.exit(2)
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { entity: { type: "string" } } })
const [kind, word = ""] = positionals
if (!["area", "adapter"].includes(kind) || positionals.length !== 2)
  stop("Usage: pnpm new:area <word> [--entity <Singular>]  or  pnpm new:adapter <word>")
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(word)) stop(`"${word}" is not a lower-kebab word.`)
if (/^(utils?|helpers?|common|shared|types|services|layers)$/.test(word))
  stop(`"${word}" says nothing; take the word of the domain.`)

const pascal = (text) => text.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase())
const kebab = (text) => text.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()

const guessed = word.replace(/ies$/, "y").replace(/s$/, "")
if (kind === "area" && values.entity === undefined && guessed === word)
  stop(`"${word}" has no clear singular: say it with --entity.`)
const one = values.entity === undefined ? guessed : kebab(values.entity)

/** Every form of a pair of words, in the order in which they are looked for: longer before shorter. */
const forms = (many, one) => [
  many,
  one,
  pascal(many),
  pascal(one),
  pascal(many).replace(/^./, (letter) => letter.toLowerCase()),
  pascal(one).replace(/^./, (letter) => letter.toLowerCase()),
  many.replaceAll("-", "_").toUpperCase(),
  one.replaceAll("-", "_"),
  many.replaceAll("-", " "),
  one.replaceAll("-", " ")
]
const template = forms("spare-parts", "spare-part")
const wanted = forms(word, one)
const renamed = (text) => text.replace(new RegExp(template.join("|"), "g"), (form) => wanted[template.indexOf(form)])

const source = join(root, "tools/scaffold", kind)
const files = filesBelow(source).map((file) => ({ from: join(source, file), to: renamed(file) }))
const existing = files.filter(({ to }) => existsSync(join(root, to)))
if (existing.length > 0) stop(`These exist already: ${existing.map(({ to }) => to).join(", ")}.`)

const { version } = publishedPackages()[0].manifest
for (const { from, to } of files) {
  mkdirSync(dirname(join(root, to)), { recursive: true })
  writeFileSync(
    join(root, to),
    renamed(readFileSync(from, "utf8")).replace('"version": "0.0.0"', `"version": "${version}"`)
  )
  console.log(`wrote ${to}`)
}

/** Adds `<word>:read` and `<word>:write` to the permissions, before the first area that follows in the alphabet. */
const addPermissions = () => {
  const file = "packages/core/src/auth/roles/Permission.ts"
  const text = readFileSync(join(root, file), "utf8")
  const list = text.match(/Schema\.Literals\(\[\n([\s\S]*?)\n\]\)/)
  if (list === null) stop(`${file} has no list of permissions that this script can read.`)
  const lines = list[1].split("\n").map((line) => line.replace(/,$/, ""))
  const after = lines.findIndex((line) => line.trim().slice(1).split(":")[0] > word)
  lines.splice(after === -1 ? lines.length : after, 0, `  "${word}:read"`, `  "${word}:write"`)
  writeFileSync(join(root, file), text.replace(list[1], lines.join(",\n")))
  console.log(`added ${word}:read and ${word}:write to ${file}`)
}
if (kind === "area") addPermissions()

const run = (command, args) => {
  const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` }
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: ["ignore", "ignore", "inherit"] })
  if (status !== 0) stop(`${command} ${args.join(" ")} failed; the files are written, mend it and run it again.`)
}
run("biome", ["check", "--write", ...files.map(({ to }) => to)])
if (kind === "adapter") run("pnpm", ["install", "--no-frozen-lockfile"])
run("pnpm", ["run", "gen"])

const left = {
  area: [
    `fields and decisions of ${pascal(one)}, and a golden file if it is stored`,
    `${pascal(one)}Store in the union Stores and in layerMemory (core/src/Stores.ts); then each storage adapter fails to compile until it has one`,
    `a contract suite for the store in packages/testing/src/contracts, run by every implementation`,
    `the permissions in the bundles of core/src/auth/roles/Role.ts`,
    `${pascal(word)}Api in http/src/api/Api.ts, ${pascal(word)}Handlers and ${pascal(word)}.layer in the hosts, and a test of each declared error`,
    `the word in GLOSSARY.md, a page in docs, a changeset (\`pnpm changeset\`)`
  ],
  adapter: [
    `the driver and @fairlead/core as dependencies (exact versions), and \`export const layer\` for each port`,
    `the contract suites of @fairlead/testing for each port; against a real server as *.live.test.ts`,
    `README.md, GLOSSARY.md, a changeset (\`pnpm changeset\`)`
  ]
}
console.log(`\nLeft to you:\n${left[kind].map((step) => `- ${step}`).join("\n")}\nThen: pnpm check && npm test`)
