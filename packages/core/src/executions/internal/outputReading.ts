/** Reads what is stored of an attempt without holding more of it in memory than a window. */
import { Bytes as Binary, type Context, Effect, Option, Stream } from "effect"
import type { OutputName } from "../../runtime/Job.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import type { Omission } from "../Execution.ts"
import type { ExecutionOutputStore, OutputKey } from "../ExecutionOutputStore.ts"
import type { OutputText } from "../ExecutionResult.ts"
import type { OutputCollector } from "../OutputCollector.ts"
import { outputParts, outputText } from "../outputText.ts"

/** Longest stream, in bytes, whose text is held in one piece. */
const wholeBytes = 64 * 1024
/** Bytes of a longer one that are in memory at a time. */
const windowBytes = 64 * 1024

export const outputReading = (
  outputs: Context.Service.Shape<typeof ExecutionOutputStore>,
  collector: Context.Service.Shape<typeof OutputCollector>
) => {
  /** The bytes from `from` up to `to`. Of what is deleted meanwhile there is no rest; who announced a length notices. */
  const windows = (key: OutputKey, output: OutputName, from: number, to: number): Bytes =>
    from >= to
      ? Stream.empty
      : Stream.paginate(from, (offset) =>
          Effect.map(outputs.read(key, output, offset, Math.min(windowBytes, to - offset)), (bytes) => {
            const next = offset + bytes.length
            return [[bytes], bytes.length === 0 || next >= to ? Option.none() : Option.some(next)] as const
          })
        )

  /** All that is stored of a stream of `size` bytes, with a line where bytes are missing. */
  const textOf = (
    key: OutputKey,
    output: OutputName,
    size: number,
    omission: Omission | undefined
  ): Effect.Effect<OutputText, StorageError> => {
    if (size === 0 && omission === undefined) return Effect.succeed("")
    const known = collector.remembered(key, output, size)
    if (known !== undefined) return Effect.succeed(outputText(marked(known, omission)))
    if (size <= wholeBytes)
      return Effect.map(outputs.read(key, output, 0, size), (bytes) => outputText(marked(bytes, omission)))
    if (omission === undefined) return Effect.succeed({ parts: outputParts(windows(key, output, 0, size)) })
    const { at } = omission
    const parts = windows(key, output, 0, at).pipe(
      Stream.concat(Stream.succeed(noteOf(omission))),
      Stream.concat(windows(key, output, at, size))
    )
    return Effect.succeed({ parts: outputParts(parts) })
  }

  return { windows, textOf }
}

const marked = (bytes: Uint8Array, omission: Omission | undefined): Uint8Array =>
  omission === undefined
    ? bytes
    : Binary.concat([bytes.subarray(0, omission.at), noteOf(omission), bytes.subarray(omission.at)])

const noteOf = ({ bytes }: Omission) =>
  Uint8Array.from(`\n[${bytes} bytes were not kept]\n`, (character) => character.charCodeAt(0))

type Bytes = Stream.Stream<Uint8Array, StorageError>
