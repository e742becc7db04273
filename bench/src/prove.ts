/**
 * `pnpm prove [part …]`: breaks real hosts on purpose and judges what is left. Without a name it proves every part.
 *
 *     --short       a few rounds of each instead of hundreds
 *     --times N     rounds of failpoints, failovers or restarts, kills, freezes, scripts or minutes: instead of the part's own
 *     --seed S      makes the same choices again
 *     --only TEXT   failpoints whose name contains the text
 *     --evidence    writes what was found to docs/reference/evidence/
 *     --list        names the parts and the failpoints
 *
 * `pnpm chaos --minutes N --seed S` is the part chaos. Ends with 1 if anything that was promised does not hold.
 */
import { parseArgs } from "node:util"
import { failpointNames } from "../../examples/reference-host/test/proof/failpointNames.ts"
import { writeEvidence } from "./prove/evidence.ts"
import { partNamed, parts } from "./prove/parts.ts"

// An interrupted proof ends what it started: its workshops listen to `exit`.
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))

const refuse = (why: string): never => {
  console.error(`${why}\nThe parts are: ${Object.keys(parts).join(", ")}.`)
  process.exit(2)
}

const numberOf = (name: string, text: string | undefined, maximum: number): number | undefined => {
  const value = Number(text)
  if (text === undefined) return undefined
  return value > 0 && value <= maximum ? value : refuse(`--${name} is to be a number up to ${maximum}, not ${text}.`)
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: "boolean", default: false },
    times: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string" },
    only: { type: "string", default: "" },
    evidence: { type: "boolean", default: false },
    list: { type: "boolean", default: false }
  }
})

if (values.list) {
  for (const [name, { about }] of Object.entries(parts)) console.log(`${name}\n    ${about}`)
  console.log(`\nfailpoints\n${failpointNames.map((name) => `    ${name}`).join("\n")}`)
  process.exit(0)
}

const seed = numberOf("seed", values.seed, 2 ** 32 - 1) ?? 1 + (Date.now() % 1_000_000)
const times = numberOf("times", values.times, 10_000) ?? numberOf("minutes", values.minutes, 600)
const violations: Array<string> = []

for (const name of positionals.length === 0 ? Object.keys(parts) : positionals) {
  const part = partNamed(name) ?? refuse(`There is no part ${name}.`)
  console.log(`\n== ${name}, seed ${seed}`)
  const started = performance.now()
  const wanted = { isShort: values.short, seed, only: values.only, times, log: console.log }
  const proof = await part.prove(wanted)
  const seconds = (performance.now() - started) / 1000
  for (const [what, figure] of Object.entries(proof.figures)) console.log(`${what}: ${figure}`)
  for (const violation of proof.violations) console.log(`VIOLATION ${violation}`)
  console.log(`${proof.violations.length} violations after ${Math.round(seconds)} s`)
  violations.push(...proof.violations)
  const command = [
    "pnpm",
    "prove",
    name,
    ...process.argv.slice(2).filter((word) => word.startsWith("-") || !partNamed(word))
  ].join(" ")
  if (values.evidence) console.log(writeEvidence({ part: name, about: part.about, command, seconds, ...proof }))
}

console.log(violations.length === 0 ? "every promise was kept" : `${violations.length} violations`)
process.exitCode = violations.length === 0 ? 0 : 1
