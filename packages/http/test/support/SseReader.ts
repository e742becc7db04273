/** Reads an event stream as a browser does, from a real response. */
import { Effect, Schema, Stream } from "effect"

const Data = Schema.fromJsonString(
  Schema.StructWithRest(Schema.Struct({ event_type: Schema.String }), [Schema.Record(Schema.String, Schema.Any)])
)

export interface Message {
  readonly id: string | undefined
  /** The parsed data. */
  readonly data: typeof Data.Type
}

/** Messages as they come; ends when the server closes the stream. Each carries the id of its own frame only. */
export const messages = (response: Response): Stream.Stream<Message> =>
  Stream.fromReadableStream({
    evaluate: () => response.body ?? new ReadableStream<Uint8Array>(),
    onError: (error) => error
  }).pipe(
    Stream.orDie,
    Stream.decodeText(),
    Stream.splitLines,
    Stream.mapAccum(
      (): ReadonlyArray<string> => [],
      (lines, line): readonly [ReadonlyArray<string>, ReadonlyArray<ReadonlyArray<string>>] =>
        line === "" ? [[], lines.length === 0 ? [] : [lines]] : [[...lines, line], []]
    ),
    Stream.mapEffect((lines) => {
      const field = (name: string) =>
        lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2))
      return Effect.map(Effect.orDie(Schema.decodeEffect(Data)(field("data").join("\n"))), (data) => ({
        id: field("id")[0],
        data
      }))
    })
  )
