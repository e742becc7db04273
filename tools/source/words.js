// Words that we gave up for those of the field, so that they do not come back: in sources, comments, messages and documents. GLOSSARY.md
// has the word to use. What tells history (decision records, changesets, released migrations, evidence) keeps its words.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../workspace.js"

const retired = {
  "breach(es)?": "violation",
  "dossiers?": "execution records",
  "gets? on|got on": "make progress",
  "(saga|spare|prepared) keepers?|keepers? of": "shim",
  "lanes?": "node",
  parked: "suspended",
  "seed documents?": "existing clients",
  PlaceSlots: "NodeSlots",
  SagaDriver: "SagaExecutor",
  "HostRegistry|HostStore|no_host_for_lane": "instance…"
}
const exempt =
  /^(GLOSSARY\.md|pnpm-lock\.yaml|tools\/source\/words\.js|\.changeset\/|docs\/(adr|reference\/evidence)\/)|\/generated\/|\/migrations\/|Migration\.test\.ts$|\.(png|svg|ico)$|CHANGELOG/

const rules = Object.entries(retired).map(([word, instead]) => [new RegExp(`\\b(${word})\\b`, "i"), instead])
const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && !exempt.test(file))

let faults = 0
for (const file of files) {
  let text
  try {
    text = readFileSync(join(root, file), "utf8")
  } catch {
    continue // Moved away and not staged yet.
  }
  for (const [i, line] of text.split("\n").entries())
    for (const [word, instead] of rules) {
      const found = word.exec(line)
      if (found === null) continue
      faults++
      console.error(`${file}:${i + 1} "${found[0]}": say "${instead}"`)
    }
}
console.log(`${files.length} files read, ${faults} faults`)
if (faults > 0 || files.length === 0) process.exitCode = 1
