/** The beginnings of outputs that this instance has stored itself a moment ago: reading them back is spared. */
import { Bytes } from "effect"
import type { OutputName } from "../../runtime/Job.ts"
import type { OutputChunk, OutputKey } from "../ExecutionOutputStore.ts"

export interface OutputPreview {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

const empty = new Uint8Array()
const nothing: OutputPreview = { stdout: empty, stderr: empty }

/** The head with what the chunks add to it: the first `length` bytes of each stream. Keeps no more memory alive than that. */
export const extended = (head: OutputPreview, chunks: ReadonlyArray<OutputChunk>, length: number): OutputPreview => ({
  stdout: grown(head.stdout, "stdout", chunks, length),
  stderr: grown(head.stderr, "stderr", chunks, length)
})

const grown = (known: Uint8Array, name: OutputName, chunks: ReadonlyArray<OutputChunk>, length: number): Uint8Array => {
  let missing = length - known.length
  const parts = [known]
  for (const { bytes, output } of chunks) {
    if (output !== name || missing === 0) continue
    parts.push(bytes.subarray(0, missing))
    missing = Math.max(0, missing - bytes.length)
  }
  return parts.length === 1 ? known : Bytes.concat(parts)
}

const nameOf = ({ attempt, executionId }: OutputKey) => `${executionId}/${attempt}`

/** Heads of the latest `capacity` attempts. */
export const makeHeads = (capacity: number) => {
  const heads = new Map<string, OutputPreview>()
  return {
    nothing,
    put: (key: OutputKey, head: OutputPreview) => {
      heads.set(nameOf(key), head)
      const [oldest] = heads.keys()
      if (heads.size > capacity && oldest !== undefined) heads.delete(oldest)
    },
    find: (key: OutputKey): OutputPreview | undefined => heads.get(nameOf(key))
  }
}
