/** Every level, as every user that this test can be. */
import { execFile } from "node:child_process"
import { chmod, chown, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execPath, geteuid } from "node:process"
import { fileURLToPath } from "node:url"
import type { JobEnd } from "@fairlead/core/runtime/Job"
import type { ProcessRuntimeOptions } from "@fairlead/process/ProcessRuntime"
import { Effect } from "effect"
import { type Situation, situations } from "../src/internal/claims.ts"
import { ownUids } from "./fixtures.ts"
import type { Errand } from "./subject.ts"

const isRoot = geteuid?.() === 0
const uids = ownUids(2)
const ordinary = ownUids(3).first

const optionsOf: Record<Situation, Omit<ProcessRuntimeOptions, "directory">> = {
  namespaceUids: { level: "namespace", uids },
  namespaceRoot: { level: "namespace", unsafeScriptsAsHostUser: true },
  namespaceUser: { level: "namespace", unsafeScriptsAsHostUser: true },
  basicUids: { level: "basic", uids },
  basicUser: { level: "basic", unsafeScriptsAsHostUser: true }
}

/** Root can be anybody. */
export const reachable = Object.keys(situations)
  .filter((name): name is Situation => name in situations)
  .filter((name) => isRoot || name.endsWith("User"))

export interface Subject {
  readonly directory: string
  /** Everybody may write there, and scripts see it. */
  readonly open: string
  readonly mark: string
}

export interface Ending {
  readonly stdout: string
  readonly stderr: string
  readonly end: JobEnd
}

/** As the user of the situation, in a process of its own. */
export const runAs = (
  situation: Situation,
  language: string,
  subject: Subject,
  scripts: Errand["scripts"],
  { env, options }: { readonly env?: Errand["env"]; readonly options?: Partial<ProcessRuntimeOptions> } = {}
) =>
  Effect.promise(
    () =>
      new Promise<ReadonlyArray<Ending>>((resolve, reject) => {
        const { directory, mark } = subject
        const errand: Errand = {
          options: { ...optionsOf[situation], ...options, directory },
          language,
          env: { ...env, MARK: mark },
          scripts
        }
        const words = [execPath, fileURLToPath(new URL("subject.ts", import.meta.url)), JSON.stringify(errand)]
        const user = `${ordinary}`
        const other = isRoot && situation.endsWith("User")
        const command = other ? ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", ...words] : words
        execFile(command[0] ?? "", command.slice(1), { timeout: 60_000 }, (error, stdout, stderr) =>
          // Warnings come first.
          error === null
            ? resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""))
            : reject(new Error(`${error.message}\n${stderr}`))
        )
      })
  )

let made = 0
export const subjectOf = (situation: Situation) =>
  Effect.acquireRelease(
    Effect.promise(async (): Promise<Subject> => {
      const directory = await mkdtemp(join(tmpdir(), "process-claims-"))
      if (isRoot && situation.endsWith("User")) await chown(directory, ordinary, ordinary)
      const open = await mkdtemp(join(isRoot ? "/var/lib" : "/var/tmp", "process-claims-"))
      await chmod(open, 0o777)
      return { directory, open, mark: `${process.pid}x${(36 ** 5 + made++ + process.pid * 36 ** 2).toString(36)}` }
    }),
    ({ directory, open }) =>
      Effect.promise(async () => {
        // Scripts close folders to their owner.
        await new Promise((done) => execFile("chmod", ["-R", "u+rwX", "--", directory, open], done))
        for (const path of [directory, open]) await rm(path, { recursive: true, force: true, maxRetries: 5 })
      })
  )
