/** What scripts wrote to both streams, merged in the order of writing, with times. */
import { Context, Effect, Layer } from "effect"
import type { Principal } from "../auth/Principal.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import type { OutputName } from "../runtime/Job.ts"
import { beginningOf } from "../runtime/OutputOrder.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { AttemptNotFound, ExecutionNotFound } from "./ExecutionError.ts"
import { ExecutionOutputStore } from "./ExecutionOutputStore.ts"
import { Executions } from "./Executions.ts"
import { type TranscriptPage, type TranscriptPosition, transcribe } from "./transcript.ts"

export interface TranscriptQuery {
  readonly from: TranscriptPosition
  /** Most entries; 1 to 1,000. */
  readonly limit: number
  /** 1 for the first; absent: the latest that began. */
  readonly attempt?: number | undefined
}

export class Transcripts extends Context.Service<
  Transcripts,
  {
    /** From `from` on, at most 32 KiB of each stream; while the attempt runs what there is by now. Reading on at `next` misses nothing. */
    read(
      caller: Principal,
      id: ExecutionId,
      query: TranscriptQuery
    ): Effect.Effect<TranscriptPage & { readonly attempt: number }, ExecutionNotFound | AttemptNotFound | StorageError>
  }
>()("@fairlead/core/executions/Transcripts") {
  static readonly layer = Layer.effect(
    Transcripts,
    Effect.gen(function* () {
      const [executions, outputs] = [yield* Executions, yield* ExecutionOutputStore]

      const read = Effect.fn("Transcripts.read")(function* (
        caller: Principal,
        id: ExecutionId,
        { from, limit, ...asked }: TranscriptQuery
      ) {
        const { attempt, ended: complete } = yield* executions.output(caller, id, {
          output: "stdout",
          attempt: asked.attempt,
          offset: 0,
          limit: 1
        })
        const key = { executionId: id, attempt }
        const window = Effect.fnUntraced(function* (output: OutputName) {
          const at = from[output]
          const before = Math.min(3, at)
          const range = { output, attempt, offset: at - before, limit: windowBytes + before }
          const { bytes, omission, size } = yield* executions.output(caller, id, range)
          return { before: bytes.subarray(0, before), bytes: bytes.subarray(before), omission, size }
        })
        // The order comes before the bytes that it tells of, so that these are there.
        const lines = yield* outputs.read(key, "order", from.order, orderBytes)
        const head = from.order === 0 ? lines : yield* outputs.read(key, "order", 0, beginningBytes)
        const [stdout, stderr] = [yield* window("stdout"), yield* window("stderr")]
        const beginning = beginningOf(ascii(head)) ?? 0
        const order = ascii(lines)
        const orderEnds = lines.length < orderBytes
        const page = transcribe({ position: from, order, beginning, orderEnds, complete, limit, stdout, stderr })
        return { attempt, ...page }
      })
      return Transcripts.of({ read })
    })
  )
}

const ascii = (bytes: Uint8Array) => String.fromCharCode(...bytes)
const windowBytes = 32 * 1024
/** Enough for a thousand lines. */
const orderBytes = 32 * 1024
/** The first line of an order is shorter. */
const beginningBytes = 32
