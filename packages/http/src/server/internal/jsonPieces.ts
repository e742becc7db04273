/** JSON whose longest texts are written piece by piece, so that nobody holds them as a whole. */
import { Predicate, Stream } from "effect"

/** By the name of the member in which the text stands, in the value itself or in its member `result`. */
export type LongMembers<E> = Readonly<Record<string, Stream.Stream<string, E>>>

/** The same bytes as `JSON.stringify(value)` with each long text in its place. */
export const jsonPieces = <E>(value: unknown, long: LongMembers<E>): Stream.Stream<Uint8Array, E> =>
  Stream.fromIterable(segmentsOf(value, long)).pipe(
    Stream.flatMap((segment) => (typeof segment === "string" ? Stream.succeed(segment) : Stream.map(segment, escaped))),
    Stream.map((text) => encoder.encode(text))
  )

const segmentsOf = <E>(value: unknown, long: LongMembers<E>): ReadonlyArray<string | Stream.Stream<string, E>> => {
  if (!Predicate.isObject(value)) return [JSON.stringify(value)]
  const segments: Array<string | Stream.Stream<string, E>> = []
  let text = "{"
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    text += `${text === "{" && segments.length === 0 ? "" : ","}${JSON.stringify(key)}:`
    const parts = long[key]
    if (parts !== undefined) {
      segments.push(`${text}"`, parts)
      text = '"'
    } else if (key === "result") {
      segments.push(text, ...segmentsOf(member, long))
      text = ""
    } else text += JSON.stringify(member)
  }
  return [...segments, `${text}}`]
}

const encoder = new TextEncoder()
const escaped = (text: string) => JSON.stringify(text).slice(1, -1)
