/** What callers may ask of `/executions`: bodies, headers and queries, in the words and units of existing clients. */
import { maxScriptLength } from "@fairlead/core/executions/Execution"
import { maximumLabels } from "@fairlead/core/executions/ExecutionLabels"
import { ExecutionStatus } from "@fairlead/core/executions/ExecutionStatus"
import { reservedPrefix } from "@fairlead/core/executions/ScriptVariables"
import { Priority } from "@fairlead/core/queue/Priority"
import { OutputName, RuntimeKind } from "@fairlead/core/runtime/Job"
import { Effect, Schema, SchemaTransformation } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { ignoredMembers } from "../compat/IgnoredMembers.ts"
import { EventType } from "../events/WireEvent.ts"
import { pageQuery } from "../Paging.ts"
import { text } from "../Text.ts"
import { Time } from "../Time.ts"
import { wire } from "../Wire.ts"
import { limitFields } from "./LimitRequests.ts"
import { policyHasKey, queueingFields } from "./QueueingRequests.ts"

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
/** Checked as a whole: a record whose names follow a rule passes over the others, and nobody would hear of it. */
const variableName = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
const Environment = Schema.Record(Schema.String, text(0, 32_768)).check(
  Schema.isMaxProperties(100),
  Schema.makeFilter(
    (variables) => {
      const wrong = Object.keys(variables).find((name) => !variableName.test(name) || name.startsWith(reservedPrefix))
      return wrong === undefined
        ? undefined
        : {
            path: [wrong],
            issue: `Expected a name of at most 128 letters, digits and underscores, beginning neither with a digit nor with ${reservedPrefix}`
          }
    },
    { toJsonSchema: () => ({ propertyNames: { pattern: variableName.source } }) }
  )
)

/** A key is what a file may be called, a value any text. */
const labelKey = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/
const labels = <V extends Schema.Constraint>(value: V) =>
  Schema.Record(Schema.String, value).check(
    Schema.isMaxProperties(maximumLabels),
    Schema.makeFilter(
      (given) => {
        const wrong = Object.keys(given).find((key) => !labelKey.test(key))
        return wrong === undefined
          ? undefined
          : {
              path: [wrong],
              issue:
                "Expected a key of at most 63 letters, digits, dots, hyphens, underscores and slashes, beginning with a letter or digit"
            }
      },
      { toJsonSchema: () => ({ propertyNames: { pattern: labelKey.source } }) }
    )
  )
const name = text(1, 200)
const labelValue = text(0, 255)

export const ExecutionRequest = wire(
  "ExecutionRequest",
  Schema.Struct({
    script: text(0, maxScriptLength).annotate({ examples: ["print('hello')"] }),
    lang: text(1, 64)
      .annotate({
        description: "A language of this instance, or another usual name of it: `py`, `sh`, `js`, `ts`.",
        examples: ["python"]
      })
      .pipe(Schema.withDecodingDefaultKey(Effect.succeed("python"))),
    langVersion: Schema.optionalKey(
      text(1, 64).annotate({
        description:
          "A version, a beginning of one, or `latest`. Absent: the newest, of Python 3.11 or else the newest.",
        examples: ["3.12"]
      })
    ),
    runtime: Schema.optionalKey(RuntimeKind),
    args: Schema.optionalKey(Schema.Array(text(0, 4_096)).check(Schema.isMaxLength(100))),
    /** Secret from here on: sealed at rest, never answered. */
    env: Schema.optionalKey(Schema.RedactedFromValue(Environment)),
    ...limitFields,
    waitForBackground: Schema.optionalKey(
      Schema.Boolean.annotate({
        description:
          "Whether the script is over only when the processes have ended too that it left in the background; all limits hold until then. " +
          "When absent or false these are ended with it.",
        examples: [true]
      })
    ),
    name: Schema.optionalKey(
      name.annotate({ description: "What you call it; lists find it by a part of this.", examples: ["nightly import"] })
    ),
    labels: Schema.optionalKey(
      labels(labelValue).annotate({
        description: "At most 32, by which lists find it.",
        examples: [{ team: "billing" }]
      })
    ),
    priority: Schema.optionalKey(
      Priority.annotate({ description: "0 runs first, 10 last; 5 when absent.", examples: [5] })
    ),
    ...queueingFields
  }).check(policyHasKey)
)

/** Seconds to wait for the end before answering. */
export const waitQuery = { wait_seconds: Schema.optional(whole(0, 60)) }

export const submitHeaders = {
  "idempotency-key": Schema.optional(
    Schema.String.check(Schema.isPattern(/^[\x20-\x7e]{1,255}$/u, { description: "1 to 255 printable characters" }))
  ),
  /** Only `wait=N` (seconds, 60 at most) means something here; other preferences are passed over, as RFC 7240 asks. */
  prefer: Schema.optional(Schema.String)
}

/** The seconds of `Prefer: wait=N`, at most 60; `undefined` when the header does not ask for it. */
export const preferredWait = (prefer: string | undefined): number | undefined => {
  const wait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer ?? "")?.[1]
  return wait === undefined ? undefined : Math.min(Number(wait), 60)
}

/** What is absent stays; `null` takes away. */
export const ExecutionChange = wire(
  "ExecutionChange",
  Schema.Struct({
    name: Schema.optionalKey(Schema.NullOr(name)).annotateKey({ description: "`null` takes the name away." }),
    labels: Schema.optionalKey(
      labels(Schema.NullOr(labelValue)).annotate({ examples: [{ team: "billing", draft: null }] })
    ).annotateKey({
      description: "Labels to set; `null` takes one away, the others stay."
    })
  })
)

const Reason = Schema.optionalKey(text(0, 1000))
export const CancelBody = wire("CancelExecutionRequest", Schema.Struct({ reason: Reason }))
/** Nothing in it has an effect; nor has what `curl -d '{}'` sends as a form without being asked. */
export const RetryBody = [
  Schema.Struct(ignoredMembers.retry).annotate({ identifier: "RetryExecutionRequest" }),
  Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/x-www-form-urlencoded" }))
] as const

/** A call without a body. */
export const NoBody = Schema.Null

/** `a,b` and `a&b` alike. */
const several = <T extends string>(each: Schema.Codec<T, string>) =>
  Schema.Array(Schema.String)
    .check(Schema.isMaxLength(100))
    .pipe(
      Schema.decodeTo(
        Schema.Array(each),
        SchemaTransformation.transform<ReadonlyArray<string>, ReadonlyArray<string>>({
          decode: (values) =>
            values.flatMap((value) => value.split(",").map((name) => name.trim())).filter((name) => name !== ""),
          encode: (names) => names
        })
      )
    )

export const listQuery = Schema.Struct({
  /** Any of them. */
  status: Schema.optional(several(ExecutionStatus)),
  /** A part of the name, in upper or lower case. */
  name: Schema.optional(name),
  /** `key` or `key=value`; all of them. */
  label: Schema.optional(Schema.Array(text(1, 320)).check(Schema.isMaxLength(10))),
  lang: Schema.optional(text(1, 64)),
  /** Created at or after. */
  start_time: Schema.optional(Time),
  /** Created before. */
  end_time: Schema.optional(Time),
  ...pageQuery(200)
})

export type ListQuery = typeof listQuery.Type

export const eventsQuery = {
  event_types: Schema.optional(several(EventType)),
  limit: whole(1, 1000).pipe(Schema.withDecodingDefaultKey(Effect.succeed(100)))
}

/** Largest part of a log that one answer carries, in bytes. */
export const maxLogBytes = 4 * 1024 ** 2
/** Number of an attempt, 1 for the first; absent: the latest that began. */
const Attempt = Schema.optional(whole(1, 20))
export const logsQuery = {
  stream: OutputName.pipe(Schema.withDecodingDefaultKey(Effect.succeed<OutputName>("stdout"))),
  /** Bytes to pass over. A `Range` header beats `offset` and `limit`. */
  offset: Schema.optional(whole(0, 64 * 1024 ** 2)),
  limit: Schema.optional(whole(1, maxLogBytes)),
  follow: Schema.optional(Schema.Boolean),
  attempt: Attempt
}

export const transcriptQuery = {
  /** The `next_cursor` of the answer before. */
  cursor: Schema.optional(Schema.String.check(Schema.isPattern(/^[0-9]{1,12}([.][0-9]{1,12}){3}$/u))),
  limit: whole(1, 1000).pipe(Schema.withDecodingDefaultKey(Effect.succeed(500))),
  attempt: Attempt
}

export const resultQuery = {
  ...waitQuery,
  /** Not together with a wait: an earlier attempt has ended. */
  attempt: Attempt
}

/** `true` and `false` as words, numbers in decimal. Size and end are those at the moment of the answer. */
export const logHeaders = {
  /** Position of the first byte of this answer in its stream. */
  "x-output-offset": Schema.Int,
  /** Where to go on reading; absent while following. */
  "x-output-next-offset": Schema.optional(Schema.Int),
  /** Stored bytes; final once ended. */
  "x-output-size": Schema.Int,
  "x-output-ended": Schema.Boolean,
  /** Whether the script wrote more than was kept. */
  "x-output-truncated": Schema.Boolean,
  /** Bytes of this stream before those that were not kept, and how many these are; absent when all were kept, or while it runs. */
  "x-output-omitted-at": Schema.optional(Schema.Int),
  "x-output-omitted-bytes": Schema.optional(Schema.Int),
  /** Number of the attempt that wrote this. */
  "x-output-attempt": Schema.Int,
  /** Whether the execution ended with this attempt, so that no other follows. */
  "x-output-last-attempt": Schema.Boolean
}
