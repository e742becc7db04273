/** The bytes of an answer as they come. */
import { FairleadError } from "../FairleadError.ts"
import { fromFailure } from "./errors.ts"
import { orAborted } from "./waiting.ts"

/** A connection that carries nothing for so long counts as dead, although nobody closed it. The server sends something every 15 s. */
const silenceMillis = 45_000

/** Fails with `NETWORK` when the answer breaks off or falls silent. Ending the iteration closes the connection. */
export async function* chunksOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader()
  try {
    while (true) {
      const { done, value } = await orAborted(orSilent(reader.read()), signal)
      if (done) return
      yield value
    }
  } catch (cause) {
    throw fromFailure(cause)
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

const orSilent = async <A>(promise: Promise<A>): Promise<A> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new FairleadError({ code: "NETWORK", detail: `Nothing came for ${silenceMillis} ms.` })),
          silenceMillis
        )
      })
    ])
  } finally {
    clearTimeout(timer)
  }
}
