/**
 * Starts keepers through one small process, because starting a program from a large one blocks it for 10 ms and more. That process
 * ends with this one; the keepers do not. When it is gone a new one takes its place.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"
import { FileFailure, systemPath } from "./files.ts"

const launcherFile = fileURLToPath(new URL("../../keeper/launcher.pl", import.meta.url))

/** Gives a job directory to a new keeper; returns when its process exists. */
export type Launch = (directory: string) => Effect.Effect<void, FileFailure>

type Answer = (complaint: string | undefined) => void

interface Launcher {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  /** In the order asked. */
  readonly waiting: Array<Answer>
}

/** `command` is a keeper's command line without its last argument. The scope ends the small process. */
export const makeLaunch = (command: ReadonlyArray<string>): Effect.Effect<Launch, never, Scope.Scope> =>
  Effect.gen(function* () {
    let current: Launcher | undefined

    const start = (): Launcher => {
      const process = spawn("perl", [launcherFile, "setsid", ...command], {
        cwd: "/",
        env: { PATH: systemPath, LANG: "C" },
        stdio: ["pipe", "pipe", "ignore"]
      })
      const launcher: Launcher = { process, waiting: [] }
      const gone = (complaint: string) => {
        if (current === launcher) current = undefined
        for (const answer of launcher.waiting.splice(0)) answer(complaint)
      }
      let rest = ""
      process.stdout.on("data", (chunk: Buffer) => {
        const lines = `${rest}${chunk}`.split("\n")
        rest = lines.pop() ?? ""
        for (const line of lines) launcher.waiting.shift()?.(line === "" ? undefined : line)
      })
      process.once("error", (cause) => gone(cause.message))
      process.once("exit", () => gone("the launcher of keepers ended"))
      process.stdin.on("error", (cause) => gone(cause.message))
      // Neither keeps this process alive by itself.
      process.unref()
      return launcher
    }

    yield* Effect.addFinalizer(() => Effect.sync(() => current?.process.stdin.end()))
    current = start()

    return (directory) =>
      Effect.callback<void, FileFailure>((resume) => {
        current ??= start()
        current.waiting.push((complaint) =>
          resume(
            complaint === undefined
              ? Effect.void
              : Effect.fail(new FileFailure({ code: "", cause: new Error(complaint) }))
          )
        )
        current.process.stdin.write(`${directory}\0`)
      })
  })
