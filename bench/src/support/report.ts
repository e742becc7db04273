/** Writes what a benchmark measured, with what it measured it on. */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { cpus, totalmem } from "node:os"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../../results/", import.meta.url))

const commit = () => {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim()
  } catch {
    return "unknown"
  }
}

/** `bench/results/<name>.json`; the last run replaces the one before. */
export const writeReport = (name: string, figures: object): string => {
  mkdirSync(folder, { recursive: true })
  const file = `${folder}${name}.json`
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version
  }
  const report = { name, at: new Date().toISOString(), commit: commit(), machine, ...figures }
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  return file
}

export const table = (rows: ReadonlyArray<Readonly<Record<string, string | number>>>): void => console.table(rows)
