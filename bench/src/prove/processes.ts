/** Processes that a proof has started, found by a mark in their environment, also when nobody waits for them any more. */
import { readdirSync, readFileSync } from "node:fs"

/** Scripts of this run, by the mark that each carries. */
export const leftovers = (run: string): ReadonlyArray<number> => processesWith(`PROOF_RUN=${run}`)

/** Processes of this machine with the variable in their environment, `name=value`. */
export const processesWith = (variable: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`${variable}\0`)
      } catch {
        return false
      }
    })
    .map(Number)
