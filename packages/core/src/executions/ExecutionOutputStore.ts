/** Port: what scripts wrote, as byte ranges per execution, attempt and stream. The same calls serve live and ended output. */

import { Context, Effect, Layer } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import type { OutputOffsets, OutputStream } from "../runtime/Job.ts"
import { sagaRows } from "../sagas/memoryTables.ts"
import type { SagaFence } from "../sagas/SagaFence.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups } from "../wakeups/Wakeups.ts"
import { outputRows } from "./memoryTables.ts"

export interface OutputChunk {
  readonly output: OutputStream
  /** Position of the first byte in its stream. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** One attempt's output; each attempt has its own. */
export interface OutputKey {
  readonly executionId: ExecutionId
  readonly attempt: number
}

/** How one attempt's streams begin. */
export interface OutputPreview {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

export class ExecutionOutputStore extends Context.Service<
  ExecutionOutputStore,
  {
    /**
     * Stores chunks that continue what is stored, without gap or overlap per stream, and sends the wake-up `output/…` with the
     * execution id. `false`: the fence is no longer the saga's, nothing was written. A chunk that does not continue is a defect.
     */
    append(key: OutputKey, fence: SagaFence, chunks: ReadonlyArray<OutputChunk>): Effect.Effect<boolean, StorageError>
    /** Bytes of one stream from `offset` on, at most `limit` (1 to 4 MiB); empty at the end of what is stored so far. */
    read(key: OutputKey, output: OutputStream, offset: number, limit: number): Effect.Effect<Uint8Array, StorageError>
    /** The first `bytes` (1 to 16 KiB) of both streams for each of at most 500 keys, in their order; empty where there are none. */
    heads(keys: ReadonlyArray<OutputKey>, bytes: number): Effect.Effect<ReadonlyArray<OutputPreview>, StorageError>
    /** Stored bytes per stream; 0 for an attempt that wrote nothing or is unknown. */
    sizes(key: OutputKey): Effect.Effect<OutputOffsets, StorageError>
  }
>()("@fairlead/core/executions/ExecutionOutputStore") {
  static readonly layerMemory = Layer.effect(
    ExecutionOutputStore,
    Effect.gen(function* () {
      const database = yield* MemoryDatabase
      const wakeups = yield* Wakeups
      const [outputs, sagas] = [outputRows(database), sagaRows(database)]
      const bytesOf = (key: OutputKey, output: OutputStream) =>
        Effect.map(outputs.get, (rows) => rows.get(nameOf(key, output)) ?? new Uint8Array())

      const append = Effect.fnUntraced(function* (
        key: OutputKey,
        { fence, sagaId }: SagaFence,
        chunks: ReadonlyArray<OutputChunk>
      ) {
        if ((yield* sagas.get).get(sagaId)?.fence !== fence) return false
        for (const { bytes, offset, output } of chunks) {
          const stored = yield* bytesOf(key, output)
          if (stored.length !== offset) return yield* Effect.die(`${output} stands at ${stored.length}, not ${offset}`)
          yield* outputs.modify((rows) => [
            undefined,
            new Map(rows).set(nameOf(key, output), Uint8Array.from([...stored, ...bytes]))
          ])
        }
        yield* wakeups.send(`output/${key.executionId}`)
        return true
      })

      return ExecutionOutputStore.of({
        append: (key, fence, chunks) => database.transaction(append(key, fence, chunks)),
        read: (key, output, offset, limit) =>
          Effect.map(bytesOf(key, output), (bytes) => bytes.slice(offset, offset + limit)),
        heads: (keys, length) =>
          Effect.forEach(keys, (key) =>
            Effect.all({
              stdout: Effect.map(bytesOf(key, "stdout"), (bytes) => bytes.slice(0, length)),
              stderr: Effect.map(bytesOf(key, "stderr"), (bytes) => bytes.slice(0, length))
            })
          ),
        sizes: Effect.fnUntraced(function* (key) {
          const [stdout, stderr] = [yield* bytesOf(key, "stdout"), yield* bytesOf(key, "stderr")]
          return outputOffsets(stdout.length, stderr.length, (yield* bytesOf(key, "order")).length)
        })
      })
    })
  )
}

/** As a runtime wants them. */
export const outputOffsets = (stdout: number, stderr: number, order: number): OutputOffsets =>
  order === 0 ? { stdout, stderr } : { stdout, stderr, order }

const nameOf = ({ attempt, executionId }: OutputKey, output: OutputStream) => `${executionId}/${attempt}/${output}`
