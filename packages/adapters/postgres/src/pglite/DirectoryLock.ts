/**
 * One process a data directory. PGlite does not see a second process and both would write over each other, so the directory is
 * guarded by a lock of the operating system on a file beside it: the kernel gives it back when the holder dies, however it
 * dies, in whatever container, so there is nothing stale to judge and nothing to reap. SQLite is only the way to that lock.
 */
import { chmod, mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises"
import { pid } from "node:process"
import { DatabaseSync } from "node:sqlite"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Effect, Predicate, Schedule, Schema, type Scope } from "effect"

/** Another process uses the directory, or another part of this one. */
export class DataDirectoryLocked extends Schema.TaggedError<DataDirectoryLocked>()("DataDirectoryLocked", {
  directory: Schema.String,
  /** Process id of the holder, as it sees itself; absent when it could not be read. */
  holderPid: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    const holder = this.holderPid === undefined ? "another process" : `process ${this.holderPid}`
    return `${this.directory} is in use by ${holder}`
  }
}

/** Time for a predecessor to finish its shutdown. */
const patience = Schedule.spaced("100 millis")
const attempts = 10
const sqliteBusy = 5

/** Holds the directory until the scope closes, creating it if needed. Fails within about a second when it is in use. */
export const lockDirectory = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<void, StorageError | DataDirectoryLocked, Scope.Scope> {
  yield* file(() => mkdir(directory, { recursive: true, mode: 0o700 }))
  // One name for one directory, whatever path led to it.
  const place = yield* file(() => realpath(directory))
  const pidFile = `${place}.pid`
  yield* holdLock(`${place}.lock`).pipe(
    Effect.catchIf(isBusy, () =>
      Effect.flatMap(readPid(pidFile), (holder) => Effect.fail(new DataDirectoryLocked({ directory, ...holder })))
    )
  )
  yield* Effect.acquireRelease(
    file(() => writeFile(pidFile, `${pid}\n`, { mode: 0o600 })),
    () => Effect.ignore(file(() => rm(pidFile, { force: true })))
  )
})

/** An open exclusive transaction is the lock. The file stays empty, and stays: removing a lock's file would split the lock. */
const holdLock = Effect.fnUntraced(function* (path: string) {
  const database = yield* Effect.acquireRelease(
    Effect.try({ try: () => new DatabaseSync(path, { timeout: 0 }), catch: lockError }),
    (opened) => Effect.sync(() => opened.close())
  )
  yield* Effect.retry(Effect.try({ try: () => database.exec("begin exclusive"), catch: lockError }), {
    while: isBusy,
    schedule: patience,
    times: attempts
  })
  // Whoever could open it could hold up the next start.
  yield* file(() => chmod(path, 0o600))
})

const isBusy = ({ cause }: StorageError) => Predicate.hasProperty(cause, "errcode") && cause.errcode === sqliteBusy

/** For the message only: the lock itself does not depend on it. */
const readPid = (path: string) =>
  Effect.match(
    file(() => readFile(path, "utf8")),
    {
      onFailure: () => ({}),
      onSuccess: (text) => (/^\d{1,10}\n$/.test(text) ? { holderPid: Number(text) } : {})
    }
  )

const file = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: lockError })

const lockError = (cause: unknown) =>
  new StorageError({ operation: "DirectoryLock.lockDirectory", retryable: false, cause })
