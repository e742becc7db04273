/** Writes what a proof found into `docs/reference/evidence/`, with what it was found on. The last run of a part replaces the one before. */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { cpus, loadavg, totalmem } from "node:os"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../../../docs/reference/evidence/", import.meta.url))

const git = (...words: ReadonlyArray<string>) => execFileSync("git", words, { encoding: "utf8" }).trim()

export interface Finding {
  readonly part: string
  /** What was done, in a sentence. */
  readonly about: string
  readonly command: string
  readonly seconds: number
  readonly figures: Readonly<Record<string, string | number>>
  readonly violations: ReadonlyArray<string>
}

/** Answers with the file. */
export const writeEvidence = ({ about, violations, command, figures, part, seconds }: Finding): string => {
  mkdirSync(folder, { recursive: true })
  const [load = 0] = loadavg()
  const isChanged = git("status", "--porcelain", "--untracked-files=no", "--", "packages", "examples") !== ""
  const rows = Object.entries({
    command: `\`${command}\``,
    date: new Date().toISOString().slice(0, 10),
    commit: `${git("rev-parse", "--short", "HEAD")}${isChanged ? ", with changes" : ""}`,
    machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}`,
    "load average at the end": load.toFixed(1),
    duration: `${Math.round(seconds)} s`,
    ...figures,
    violations: violations.length
  })
  const text = [
    `# Evidence: ${part}`,
    "",
    about,
    "",
    "| | |",
    "|---|---|",
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    "",
    ...(violations.length === 0 ? [] : ["## Violations", "", ...violations.map((violation) => `- ${violation}`), ""])
  ].join("\n")
  const file = `${folder}${part}.md`
  writeFileSync(file, text)
  return file
}
