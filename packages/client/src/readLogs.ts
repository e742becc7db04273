/** What an execution wrote, as bytes. */
import type { Connection } from "./Connection.ts"
import type { CallOptions } from "./FairleadOptions.ts"
import type { ExecutionsLogsData } from "./generated/types.gen.ts"
import { chunksOf } from "./internal/chunks.ts"
import { persevere } from "./internal/persevere.ts"

export interface LogOptions extends CallOptions {
  /** Default `stdout`. */
  readonly stream?: "stdout" | "stderr" | undefined
  /** Only this attempt, 1 for the first; absent: the latest that began, and with `follow` those after it. */
  readonly attempt?: number | undefined
  /** Called before the first byte of each attempt, with its number. */
  readonly onAttempt?: ((attempt: number) => void) | undefined
  /** Bytes of the first attempt read to pass over; default 0. */
  readonly offset?: number | undefined
  /** Most bytes to read; absent: all there are. */
  readonly limit?: number | undefined
  /** Whether to go on until the execution has ended, or the attempt that was asked for; else the log ends where it ends now. */
  readonly follow?: boolean | undefined
}

const url: ExecutionsLogsData["url"] = "/api/v1/executions/{execution_id}/logs"
/** Bytes that are asked for at once when nobody waits for more. */
const partBytes = 1024 ** 2

/**
 * The exact bytes of one output stream, in order, nothing missing and nothing twice; a broken connection is opened again where it broke.
 * Of an execution that is started again each attempt has output of its own, one behind the other. Fails with `OFFSET_BEYOND_END` when the
 * stream is shorter than `offset`, and with `ATTEMPT_NOT_FOUND` when there is no such attempt.
 */
export async function* readLogs(
  connection: Connection,
  executionId: string,
  {
    attempt: only,
    follow = false,
    limit = Number.POSITIVE_INFINITY,
    offset: from = 0,
    onAttempt,
    signal,
    stream = "stdout"
  }: LogOptions = {}
): AsyncGenerator<Uint8Array, void, undefined> {
  let attempt = only
  let told: number | undefined
  let offset = from
  let left = limit

  const request = (query: LogsQuery) =>
    requestLog(
      connection,
      executionId,
      { stream, offset, ...(attempt === undefined ? {} : { attempt }), ...query },
      signal
    )

  /** From here on it is read from the attempt that answered, whatever follows it meanwhile. */
  const settle = (headers: Headers) => {
    const answered = headers.get("x-output-attempt")
    attempt ??= answered === null ? undefined : Number(answered)
    if (attempt !== undefined && attempt !== told) onAttempt?.(attempt)
    told = attempt
  }

  /** One answer; bytes beyond the limit are left. */
  const pass = async function* (body: ReadableStream<Uint8Array> | null) {
    if (body === null) return
    for await (const chunk of chunksOf(body, signal)) {
      const wanted = chunk.length > left ? chunk.subarray(0, left) : chunk
      offset += wanted.length
      left -= wanted.length
      if (wanted.length > 0) yield wanted
      if (left <= 0) return
    }
  }

  const open = async function* (): AsyncGenerator<Uint8Array | undefined, boolean, undefined> {
    if (left <= 0) return true
    const before = offset
    const { body, headers } = await request({ limit: Math.min(partBytes, left) })
    yield undefined
    settle(headers)
    const size = headers.get("x-output-size")
    if (!follow && size !== null) left = Math.min(left, Number(size) - offset)
    yield* pass(body)
    if (offset > before) return false
    if (!follow) return true
    // A page of another origin may not see these headers; for it, a stream that ends properly is the end.
    const ended = headers.get("x-output-ended")
    if (ended !== "true") {
      yield* pass((await request({ follow: true })).body)
      return ended === null
    }
    if (only !== undefined || attempt === undefined || headers.get("x-output-last-attempt") !== "false") return true
    attempt += 1
    offset = 0
    return false
  }

  yield* persevere(open, signal)
}

type LogsQuery = NonNullable<ExecutionsLogsData["query"]>

const requestLog = async (
  { http }: Connection,
  executionId: string,
  query: LogsQuery,
  signal: AbortSignal | undefined
) => {
  const { data, response } = await http.get<{ 200: ReadableStream<Uint8Array> | null }, unknown, true, "fields">({
    url,
    path: { execution_id: executionId },
    query,
    parseAs: "stream",
    responseStyle: "fields",
    ...(signal === undefined ? {} : { signal })
  })
  return { body: data, headers: response.headers }
}
