/** The text form of a feed position: what a stream sends as `id` and a reader sends back to go on behind it. */
import { Schema } from "effect"
import type { FeedPosition } from "./FeedPage.ts"

/** `version.attempt.stdout.stderr`, for example `4.1.120.0`. Equal positions have equal texts. */
export const formatPosition = ({ attempt, stderr, stdout, version }: FeedPosition): string =>
  `${version}.${attempt}.${stdout}.${stderr}`

/** The position that `text` is the form of; `undefined` for any other text. */
export const parsePosition = (text: string): FeedPosition | undefined => {
  const [version, attempt, stdout, stderr] = form.test(text) ? text.split(".").map(Number) : []
  const position = { version, attempt, stdout, stderr }
  return isPosition(position) ? position : undefined
}

/** Without leading zeros, so that each position has one form only. */
const form = /^(0|[1-9]\d{0,15})(\.(0|[1-9]\d{0,15})){3}$/

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const isPosition = Schema.is(Schema.Struct({ version: Count, attempt: Count, stdout: Count, stderr: Count }))
