/**
 * Models as the text of a `jsonb` value. `jsonb` refuses two things that a string may hold, NUL and half a surrogate pair, so these
 * are written as U+E000 and four hexadecimal digits, and so is U+E000 itself. Select the column `::text` to read it back.
 */
import { Schema, SchemaTransformation } from "effect"

/** Codec between a model and the text of its `jsonb` value. */
export const jsonText = <S extends Schema.Constraint>(model: S) =>
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.fromJsonString(Schema.toCodecJson(model)),
      SchemaTransformation.transform({ decode: restore, encode: replaceRefused })
    )
  )

/** In JSON text: U+E000 as it is, or a backslash with what it escapes, so that an escaped backslash hides nothing. */
const refused = /\uE000|\\(?:u(0000|d[89a-f][0-9a-f]{2})|[\s\S])/g

const replaceRefused = (json: string): string =>
  json.replace(refused, (found, code?: string) => {
    if (found === "\uE000") return "\uE000e000"
    return code === undefined ? found : `\uE000${code}`
  })

/** The JSON text that was stored. */
export const restore = (stored: string): string => stored.replace(/\uE000([0-9a-f]{4})/g, "\\u$1")
