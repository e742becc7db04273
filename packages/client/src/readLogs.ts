/** What an execution wrote, as bytes. */
import type { Connection } from "./Connection.ts"
import type { CallOptions } from "./FairleadOptions.ts"
import type { ExecutionsLogsData } from "./generated/types.gen.ts"
import { chunksOf } from "./internal/chunks.ts"
import { persevere } from "./internal/persevere.ts"

export interface LogOptions extends CallOptions {
  /** Default `stdout`. */
  readonly stream?: "stdout" | "stderr" | undefined
  /** Bytes to pass over; default 0. */
  readonly offset?: number | undefined
  /** Most bytes to read; absent: all there are. */
  readonly limit?: number | undefined
  /** Whether to go on until the script has ended; else the log ends where it ends now. */
  readonly follow?: boolean | undefined
}

const url: ExecutionsLogsData["url"] = "/api/v1/executions/{execution_id}/logs"
/** Bytes that are asked for at once when nobody waits for more. */
const partBytes = 1024 ** 2

/**
 * The exact bytes of one output stream, in order, nothing missing and nothing twice; a broken connection is opened again where it broke.
 * Fails with `OFFSET_BEYOND_END` when the stream is shorter than `offset`. Of an execution that is started again, the last attempt.
 */
export async function* readLogs(
  connection: Connection,
  executionId: string,
  { follow = false, limit = Number.POSITIVE_INFINITY, offset: from = 0, signal, stream = "stdout" }: LogOptions = {}
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = from
  let end = from + limit

  const request = async (query: NonNullable<ExecutionsLogsData["query"]>) => {
    const { data, response } = await connection.http.get<
      { 200: ReadableStream<Uint8Array> | null },
      unknown,
      true,
      "fields"
    >({
      url,
      path: { execution_id: executionId },
      query: { stream, offset, ...query },
      parseAs: "stream",
      responseStyle: "fields",
      ...(signal === undefined ? {} : { signal })
    })
    return { body: data, headers: response.headers }
  }

  /** One answer; bytes beyond the limit are left. */
  const pass = async function* (body: ReadableStream<Uint8Array> | null) {
    if (body === null) return
    for await (const chunk of chunksOf(body, signal)) {
      const wanted = offset + chunk.length > end ? chunk.subarray(0, end - offset) : chunk
      offset += wanted.length
      if (wanted.length > 0) yield wanted
      if (offset >= end) return
    }
  }

  const open = async function* (): AsyncGenerator<Uint8Array | undefined, boolean, undefined> {
    if (offset >= end) return true
    const before = offset
    const { body, headers } = await request({ limit: Math.min(partBytes, end - offset) })
    yield undefined
    const size = headers.get("x-output-size")
    if (!follow && size !== null) end = Math.min(end, Number(size))
    yield* pass(body)
    if (offset > before) return false
    // A page of another origin may not see this header; for it, a stream that ends properly is the end.
    const ended = headers.get("x-output-ended")
    if (!follow || ended === "true") return true
    yield* pass((await request({ follow: true })).body)
    return ended === null
  }

  yield* persevere(open, signal)
}
