/** Free text in requests. */
import { Schema } from "effect"

/**
 * No NUL, which would end an argument or a variable early in every operating system and which PostgreSQL does not store, and no half of a
 * surrogate pair.
 */
export const text = (minimum: number, maximum: number) =>
  Schema.String.check(
    Schema.isBetweenLength(minimum, maximum),
    Schema.isPattern(/^[^\0\p{Surrogate}]*$/u, {
      description: "well-formed text without NUL",
      toJsonSchema: () => ({ pattern: "^[^\\x00]*$" })
    })
  )
