// Writes the most common passwords of 8 and more characters, by rank, from the dictionary of zxcvbn. `--check` only compares.
// Core ships its own copy, because it depends on nothing but effect.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { dictionary } from "@zxcvbn-ts/language-common"

const ranked = 5_000
const wordsPerLine = 50
const minimumLength = 8

const target = fileURLToPath(new URL("../src/auth/users/generated/rankedPasswords.ts", import.meta.url))
const source = join(dirname(fileURLToPath(import.meta.resolve("@zxcvbn-ts/language-common"))), "..")
const license = readFileSync(join(source, "LICENSE.txt"), "utf8").trim()

const words = dictionary["passwords-common"]
  .map((word) => word.toLowerCase())
  .filter((word) => [...word].length >= minimumLength)
const list = [...new Set(words)].slice(0, ranked)
// The list is one text between backticks, split at white space.
const unfit = list.filter((word) => /[\s`\\]|\$\{/.test(word))
if (list.length < ranked || unfit.length > 0) throw new Error(`${list.length} passwords, unfit: ${unfit.join(" ")}`)

const lines = Array.from({ length: Math.ceil(list.length / wordsPerLine) }, (_, line) =>
  list.slice(line * wordsPerLine, (line + 1) * wordsPerLine).join(" ")
)
const text = `/*!
 * The ${ranked} most common passwords of ${minimumLength} and more characters, from @zxcvbn-ts/language-common. Written by packages/core/tools/commonPasswords.js.
 *
${license.replace(/^/gm, " * ").replace(/ +$/gm, "")}
 */
export const rankedPasswords = \`
${lines.join("\n")}
\`
`

if (!process.argv.includes("--check")) {
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
} else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
  console.error("rankedPasswords.ts is stale; run: node packages/core/tools/commonPasswords.js")
  process.exitCode = 1
}
