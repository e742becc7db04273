/**
 * Starts shims, and deletes trees, through one small process, because starting a program from a large one blocks it for 10 ms and
 * more. That process ends with this one; the shims do not. When it is gone a new one takes its place.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"
import { FileFailure, systemPath } from "./files.ts"
import type { Confinement } from "./shimSpec.ts"

const folder = fileURLToPath(new URL("../../shim", import.meta.url))

const prepareTimeoutMillis = 5_000
const deleteTimeoutMillis = 60_000

export interface Launcher {
  /**
   * Makes the directory and has a shim wait in it, the only one that waits; returns when that is done. The directory holds all that is the
   * same for every job. Renamed to be the one of a job it is given to `keep`, which then finds a shim that has begun.
   */
  prepare(directory: string): Effect.Effect<void, FileFailure>
  /** Gives a job directory to a new shim, which leaves it alone if another has claimed it; returns when its process exists. */
  keep(directory: string): Effect.Effect<void, FileFailure>
  /** Deletes all that is below the path, and itself, also what defeats a simple walk. No tree is not a failure. */
  deleteTree(path: string): Effect.Effect<void, FileFailure>
}

type Answer = (failure: FileFailure | undefined) => void

interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  /** Requests without an answer, by their number. */
  readonly waiting: Map<string, Answer>
}

/** The scope ends the small process. */
export const makeLauncher = (
  confinement: Pick<Confinement, "level" | "memoryGroups">
): Effect.Effect<Launcher, never, Scope.Scope> =>
  Effect.gen(function* () {
    let current: Child | undefined
    let requests = 0

    const start = (): Child => {
      const child = startChild(confinement, () => {
        if (current === child) current = undefined
      })
      return child
    }
    const ask = (verb: "prepare" | "keep" | "delete", path: string) =>
      Effect.callback<void, FileFailure>((resume) => {
        current ??= start()
        const { process, waiting } = current
        const number = String(++requests)
        waiting.set(number, (failure) => resume(failure === undefined ? Effect.void : Effect.fail(failure)))
        process.stdin.write(`${verb} ${number} ${path}\0`)
        return Effect.sync(() => waiting.delete(number))
      })

    yield* Effect.addFinalizer(() => Effect.sync(() => current?.process.stdin.end()))
    current = start()

    return {
      prepare: (directory) =>
        Effect.timeoutOrElse(ask("prepare", directory), {
          duration: prepareTimeoutMillis,
          orElse: () => failure("preparing takes too long")
        }),
      keep: (directory) => ask("keep", directory),
      deleteTree: (path) =>
        Effect.timeoutOrElse(ask("delete", path), {
          duration: deleteTimeoutMillis,
          orElse: () => failure("deleting takes too long")
        })
    }
  })

const failure = (complaint: string) => new FileFailure({ code: "", cause: new Error(complaint) })

const startChild = (
  { level, memoryGroups }: Pick<Confinement, "level" | "memoryGroups">,
  onGone: () => void
): Child => {
  const process = spawn("perl", ["-I", folder, `${folder}/launcher.pl`, level, memoryGroups ?? ""], {
    cwd: "/",
    env: { PATH: systemPath, LANG: "C" },
    stdio: ["pipe", "pipe", "ignore"]
  })
  const waiting: Child["waiting"] = new Map()
  const gone = (reason: FileFailure) => {
    onGone()
    for (const answer of waiting.values()) answer(reason)
    waiting.clear()
  }
  let rest = ""
  process.stdout.on("data", (chunk: Buffer) => {
    const lines = `${rest}${chunk}`.split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const [, number = "", complaint = ""] = /^(\d+) (.*)$/.exec(line) ?? []
      waiting.get(number)?.(complaint === "" ? undefined : failure(complaint))
      waiting.delete(number)
    }
  })
  process.once("error", (cause: NodeJS.ErrnoException) => gone(new FileFailure({ code: cause.code ?? "", cause })))
  process.once("exit", () => gone(failure("the launcher of shims ended")))
  process.stdin.on("error", (cause) => gone(new FileFailure({ code: "", cause })))
  // Does not keep this process alive by itself.
  process.unref()
  return { process, waiting }
}
