/** One output of a job while it grows. The shim makes the file when it claims the job; until then there is nothing to read. */
import { type FileHandle, open } from "node:fs/promises"
import { Effect, Scope } from "effect"
import { attempt, type FileFailure, ifPresent, sizeOf } from "./files.ts"

export interface OutputFile {
  /** Up to `length` bytes from `offset` on; none at the end of what there is. */
  read(offset: number, length: number): Effect.Effect<Uint8Array, FileFailure>
  readonly size: Effect.Effect<number, FileFailure>
}

/** Opened once, when there is something to read; closed with the scope. */
export const outputFile = Effect.fnUntraced(function* (path: string): Effect.fn.Return<OutputFile, never, Scope.Scope> {
  const scope = yield* Effect.scope
  let opened: FileHandle | undefined
  const openNow = Effect.acquireRelease(
    attempt(() => open(path, "r")),
    (file) => Effect.ignore(attempt(() => file.close()))
  ).pipe(Scope.provide(scope), ifPresent)
  const file = Effect.gen(function* () {
    opened ??= yield* openNow
    return opened
  })
  return {
    read: Effect.fnUntraced(function* (offset, length) {
      const found = yield* file
      if (found === undefined) return new Uint8Array()
      const { buffer, bytesRead } = yield* attempt(() => found.read(new Uint8Array(length), 0, length, offset))
      return buffer.subarray(0, bytesRead)
    }),
    // What was opened can be read to its end also when its directory is gone.
    size: Effect.suspend(() => Effect.map(sizeOf(opened?.fd ?? path), (size) => size ?? 0))
  }
})
