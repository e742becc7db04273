/** Files, directories and short-lived programs of the host, as effects. The one thing to know: a missing file is `undefined`, not a failure. */
import { execFile } from "node:child_process"
import { fstatSync, readFileSync, readlinkSync, statSync } from "node:fs"
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

/** For what is in memory as a rule, and so takes microseconds: the way through the thread pool takes longer, and more of the processor. */
export const atOnce = <A>(evaluate: () => A): Effect.Effect<A, FileFailure> =>
  Effect.try({ try: evaluate, catch: (cause) => new FileFailure({ code: codeOf(cause), cause }) })

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

/** Of a small file. */
export const readText = (path: string) => ifPresent(atOnce(() => readFileSync(path, "utf8")))

export const readTarget = (path: string) => ifPresent(atOnce(() => readlinkSync(path)))

export const sizeOf = (file: string | number) =>
  ifPresent(
    atOnce(() => (typeof file === "number" ? fstatSync(file) : statSync(file, { throwIfNoEntry: false }))?.size)
  )

/** What a program without privileges or secrets needs. */
export const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** Whether the path lies in one of the folders. All are absolute and normal. */
export const isBelow = (path: string, folders: ReadonlyArray<string>) =>
  folders.some((folder) => path.startsWith(`${folder}/`))

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
