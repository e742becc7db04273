/** Copies what a job writes from its runtime into the output store, as it comes, until the job has ended. */
import { Context, Effect, Layer, Queue, Semaphore, Stream } from "effect"
import type { JobHandle, JobReport, OutputName, ScriptOutput } from "../runtime/Job.ts"
import type { RuntimeError } from "../runtime/RuntimeError.ts"
import type { ScriptRuntime } from "../runtime/ScriptRuntime.ts"
import { SagaFenced } from "../sagas/SagaDefinition.ts"
import type { SagaFence } from "../sagas/SagaFence.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { ExecutionOutcome } from "./Execution.ts"
import { ExecutionOutputStore, type OutputChunk, type OutputKey } from "./ExecutionOutputStore.ts"
import { type OutputPreviews, previewBytes } from "./executionEvents.ts"
import { extended, makeHeads } from "./internal/outputPreviews.ts"
import { outputText } from "./outputText.ts"

/** Ended attempts whose beginnings are kept in memory, each at most 32 KiB. */
const maxHeads = 128
/** Most chunks in one append; a runtime sends at most 64 KiB in each. */
const maxBatch = 2
/** Appends of more than `smallBytes` under way at once, of all jobs of this instance. */
const largeAppends = 1
const smallBytes = 16 * 1024

type OutputExtents = Pick<ExecutionOutcome, "stdoutBytes" | "stderrBytes" | "omitted">

export class OutputCollector extends Context.Service<
  OutputCollector,
  {
    /**
     * Stores every byte behind those already stored, in order and once, and returns the report when the job has ended and its
     * output is committed. Holds at most 8 chunks in memory; a runtime that is faster waits. `fresh`: nothing of the attempt can
     * be stored yet, so the store is not asked where it stands.
     */
    collect(
      runtime: ScriptRuntime,
      handle: JobHandle,
      key: OutputKey,
      fence: SagaFence,
      fresh?: boolean
    ): Effect.Effect<JobReport, RuntimeError | SagaFenced | StorageError>
    /** The first 16 KiB of each stream as text, up to where bytes are missing; from memory soon after the `collect` that stored all of it. */
    previews(key: OutputKey, outcome: OutputExtents): Effect.Effect<OutputPreviews, StorageError>
    /** All of a short stream, `size` bytes, if it is still in memory after the `collect` that stored it. */
    remembered(key: OutputKey, output: OutputName, size: number): Uint8Array | undefined
  }
>()("@fairlead/core/executions/OutputCollector") {
  static readonly layer = Layer.effect(
    OutputCollector,
    Effect.gen(function* () {
      const outputs = yield* ExecutionOutputStore
      const heads = makeHeads(maxHeads)
      const turns = Semaphore.makeUnsafe(largeAppends)
      /** What floods the store waits for its turn; the few bytes of everybody else do not. */
      const append = (key: OutputKey, fence: SagaFence, chunks: ReadonlyArray<OutputChunk>) => {
        const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)
        const appended = outputs.append(key, fence, chunks)
        if (bytes <= smallBytes) return appended
        // Half of the store's time at most: the pause is as long as the append was.
        return turns.withPermit(
          Effect.flatMap(Effect.timed(appended), ([took, kept]) => Effect.as(Effect.sleep(took), kept))
        )
      }
      const previews = Effect.fnUntraced(function* (key: OutputKey, outcome: OutputExtents) {
        const known = heads.find(key)
        const preview = Effect.fnUntraced(function* (output: OutputName, size: number) {
          if (size === 0) return ""
          const bytes = known?.[output] ?? (yield* outputs.read(key, output, 0, previewBytes))
          return outputText(bytes.subarray(0, outcome.omitted?.[output]?.at))
        })
        return {
          stdout: yield* preview("stdout", outcome.stdoutBytes),
          stderr: yield* preview("stderr", outcome.stderrBytes)
        }
      })

      /** A runtime that lost a job knows nothing of its output; what was stored before is still there. */
      const withStored = (report: JobReport, key: OutputKey) =>
        Effect.map(outputs.sizes(key), ({ stderr, stdout }) => ({
          ...report,
          stdout: { writtenBytes: stdout, keptBytes: stdout },
          stderr: { writtenBytes: stderr, keptBytes: stderr }
        }))

      const collect = Effect.fnUntraced(
        function* (runtime: ScriptRuntime, handle: JobHandle, key: OutputKey, fence: SagaFence, fresh = false) {
          const from = fresh ? { stdout: 0, stderr: 0 } : yield* outputs.sizes(key)
          let head = from.stdout + from.stderr === 0 ? heads.nothing : undefined
          const queue = yield* Stream.toQueue(runtime.observe(handle, from), { capacity: 8 })
          while (true) {
            // While one batch is being written the next one gathers: no timer, and no chunk waits for company.
            const batch = yield* Queue.takeBetween(queue, 1, maxBatch)
            const chunks = batch.flatMap(chunkOf)
            if (chunks.length > 0 && !(yield* append(key, fence, chunks))) return yield* new SagaFenced()
            head = head && extended(head, chunks, previewBytes)
            const report = batch.flatMap(reportOf)[0]
            if (report === undefined) continue
            if (head !== undefined) heads.put(key, head)
            return report.end._tag === "Lost" ? yield* withStored(report, key) : report
          }
        },
        Effect.scoped,
        Effect.catchTag("Done", () => Effect.die("a runtime ended its stream without a report"))
      )

      return OutputCollector.of({
        collect,
        previews,
        remembered: (key, output, size) => {
          const head = heads.find(key)?.[output]
          return head?.length === size ? head : undefined
        }
      })
    })
  )
}

const chunkOf = (item: ScriptOutput): ReadonlyArray<OutputChunk> =>
  item._tag === "Chunk" ? [{ output: item.output, offset: item.offset, bytes: item.bytes }] : []
const reportOf = (item: ScriptOutput): ReadonlyArray<JobReport> => (item._tag === "Ended" ? [item.report] : [])
