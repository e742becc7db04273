/** Reads `text/event-stream`. */

export interface ServerSentEvent {
  readonly id: string | undefined
  readonly data: string
}

/** Whole events only: what a broken stream has begun is not handed out. */
export async function* serverSentEvents(
  chunks: AsyncIterable<Uint8Array>
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder()
  let begun = ""
  let id: string | undefined
  let data: Array<string> = []
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split("\n")
    lines[0] = begun + lines[0]
    begun = lines.pop() ?? ""
    for (const line of lines) {
      const [name, value] = fieldOf(line.endsWith("\r") ? line.slice(0, -1) : line)
      if (name === "id") id = value
      if (name === "data") data.push(value)
      if (name !== undefined) continue
      if (data.length > 0) yield { id, data: data.join("\n") }
      id = undefined
      data = []
    }
  }
}

/** Name and value; no name for the empty line that ends an event. */
const fieldOf = (line: string): readonly [string | undefined, string] => {
  if (line === "") return [undefined, ""]
  const colon = line.indexOf(":")
  if (colon === -1) return [line, ""]
  return [line.slice(0, colon), line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1)]
}
