/** The name of a jobs directory, which is the node of its jobs: hosts that share the directory share the jobs, and nobody else does. */
import { randomBytes } from "node:crypto"
import { link, readFile, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { attempt, ifNew } from "./files.ts"

/**
 * Given once and kept in the file `node`, also when the directory moves to another machine: the machine's name at that time, for
 * people, and a random part. Hosts that start at the same time agree.
 */
export const nodeName = Effect.fnUntraced(function* (directory: string) {
  const file = join(directory, "node")
  const random = randomBytes(4).toString("hex")
  const machine = hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, "-")
    .slice(0, 100)
  const draft = `${file}.${random}`
  yield* attempt(() => writeFile(draft, `${machine}-${random}\n`, { mode: 0o600 }))
  yield* ifNew(attempt(() => link(draft, file)))
  yield* attempt(() => rm(draft))
  return (yield* attempt(() => readFile(file, "utf8"))).trim()
})
