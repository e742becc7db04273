/** Files, directories and short-lived programs of the host, as effects. The one thing to know: a missing file is `undefined`, not a failure. */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { readFile, readlink } from "node:fs/promises"
import { Data, Effect, Predicate } from "effect"

export class FileFailure extends Data.TaggedError("FileFailure")<{
  /** As in `errno`: `ENOENT`, `EEXIST`; empty when the cause names none. */
  readonly code: string
  readonly cause: unknown
}> {}

export const attempt = <A>(evaluate: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, FileFailure> =>
  Effect.tryPromise({ try: evaluate, catch: (cause) => new FileFailure({ code: codeOf(cause), cause }) })

const codeOf = (cause: unknown) =>
  Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : ""

const absent = new Set(["ENOENT", "ENOTDIR", "ESRCH"])

/** The value, or `undefined` when the path does not exist (any more). */
export const ifPresent = <A, R>(
  effect: Effect.Effect<A, FileFailure, R>
): Effect.Effect<A | undefined, FileFailure, R> =>
  Effect.catchIf(
    effect,
    ({ code }) => absent.has(code),
    () => Effect.undefined
  )

/** True when the effect was done, false when its target existed before. */
export const ifNew = (effect: Effect.Effect<unknown, FileFailure>): Effect.Effect<boolean, FileFailure> =>
  Effect.as(effect, true).pipe(
    Effect.catchIf(
      ({ code }) => code === "EEXIST" || code === "ENOTEMPTY",
      () => Effect.succeed(false)
    )
  )

export const readText = (path: string) => ifPresent(attempt((signal) => readFile(path, { encoding: "utf8", signal })))

/** Of a small file that was written a moment ago and is in memory: at once, since the way through the thread pool takes longer than all else. */
export const readFreshText = (path: string) =>
  ifPresent(
    Effect.try({
      try: () => readFileSync(path, "utf8"),
      catch: (cause) => new FileFailure({ code: codeOf(cause), cause })
    })
  )

export const readTarget = (path: string) => ifPresent(attempt(() => readlink(path)))

/** What a program without privileges or secrets needs. */
export const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

export interface RunOptions {
  readonly path?: string | undefined
  readonly uid?: number | undefined
  readonly timeoutMillis: number
}

/** Both outputs of a program that ends with code 0, at most 64 KiB. Fails otherwise; killed when it takes too long. */
export const run = (program: string, args: ReadonlyArray<string>, { path, timeoutMillis, uid }: RunOptions) =>
  attempt(
    (signal) =>
      new Promise<string>((resolve, reject) => {
        const options = {
          cwd: "/",
          env: { PATH: path ?? systemPath, LANG: "C.UTF-8" },
          maxBuffer: 65_536,
          timeout: timeoutMillis,
          killSignal: "SIGKILL",
          signal,
          ...(uid === undefined ? {} : { uid, gid: uid })
        } as const
        const child = execFile(program, args, options, (error, stdout, stderr) =>
          error === null ? resolve(stdout + stderr) : reject(error)
        )
        child.stdin?.end()
      })
  )
