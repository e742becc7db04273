/**
 * A data directory and its first start. While a database is being made, a file beside the directory says so; found at a later
 * start it means that the making was cut short, and what lies in the directory is nobody's data.
 */
import { access, readdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Effect, Predicate } from "effect"

const markerOf = (directory: string) => `${directory}.unfinished`

/** Clears what an unfinished first start left. Fails for a directory that holds something else than a database. */
export const holdsDatabase = Effect.fnUntraced(function* (directory: string) {
  if (yield* exists(markerOf(directory))) yield* clear(directory)
  const names = yield* file(() => readdir(directory))
  if (names.includes("PG_VERSION")) return true
  if (names.length === 0) return false
  return yield* fileError(`${directory} is neither empty nor a database`)
})

/** Runs the first start under the marker. The marker stays when `create` fails or the process dies. */
export const whileUnfinished = Effect.fnUntraced(function* <A>(
  directory: string,
  create: Effect.Effect<A, StorageError>
) {
  const marker = markerOf(directory)
  yield* file(() => writeFile(marker, "", { mode: 0o600 }))
  const created = yield* create
  yield* file(() => rm(marker, { force: true }))
  return created
})

const clear = Effect.fnUntraced(function* (directory: string) {
  const names = yield* file(() => readdir(directory))
  yield* Effect.forEach(names, (name) => file(() => rm(join(directory, name), { recursive: true, force: true })))
})

const exists = (path: string) => Effect.isSuccess(file(() => access(path)))

const file = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: fileError })

/** Numbers of errors as PGlite's file system counts them (those of WASI), by the names that Node has for them. */
const errorCodes: Readonly<Record<number, string>> = { 2: "EACCES", 51: "ENOSPC", 69: "EROFS" }

/** What PGlite failed with when it opened or made a database; its own errors have no message. */
export const openFailure = (directory: string, cause: unknown): StorageError => {
  const code = Predicate.hasProperty(cause, "errno") ? errorCodes[Number(cause.errno)] : undefined
  const words = cause instanceof Error && cause.message !== "" ? cause.message : (code ?? "for a reason that it keeps")
  return fileError(Object.assign(new Error(`${directory} cannot be opened: ${words}`), code && { code }))
}

const fileError = (cause: unknown) => new StorageError({ operation: "PgliteClient.open", retryable: false, cause })
