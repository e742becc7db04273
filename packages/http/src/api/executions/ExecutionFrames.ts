/**
 * What an execution's event stream sends: unnamed messages with JSON, told apart by `event_type`. In this order: `connected`,
 * `subscribed`, `status`, then events and output as they come, at last `result_stored` with the whole result.
 */

import { StorageType } from "@fairlead/core/events/ResultEvents"
import { ExecutionStatus } from "@fairlead/core/executions/ExecutionStatus"
import { EventId } from "@fairlead/core/ids/EventId"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { OutputName } from "@fairlead/core/runtime/Job"
import { Schema } from "effect"
import { WireEvent } from "../events/WireEvent.ts"
import { wire } from "../Wire.ts"
import { ResultViewStruct } from "./ExecutionViews.ts"

const frame = <Type extends string, const Fields extends Schema.Struct.Fields>(eventType: Type, fields: Fields) =>
  Schema.Struct({
    eventType: Schema.Literal(eventType),
    executionId: ExecutionId,
    timestamp: Schema.DateTimeUtcFromString,
    ...fields
  })

const Control = Schema.Union([
  frame("connected", { connectionId: Schema.String }),
  frame("subscribed", { message: Schema.String }),
  frame("status", { status: ExecutionStatus }),
  frame("heartbeat", {}),
  /** The instance is going away; another one answers a reconnect within `gracePeriod` seconds. */
  frame("shutdown", { gracePeriod: Schema.Int }),
  /** The stream cannot go on; a reconnect with the last id does. */
  frame("error", { error: Schema.String }),
  frame("output", {
    stream: OutputName,
    attempt: Schema.Int,
    /** Position of the first byte in its stream. */
    offset: Schema.Int,
    /** UTF-8; characters are never cut, and bytes that are none appear as U+FFFD. */
    data: Schema.String,
    /** The exact bytes, present when they are not UTF-8. */
    dataBase64: Schema.optionalKey(Schema.String)
  }),
  /** The end. The facts about storage are those of the event, absent when the reader has had it already. */
  frame("result_stored", {
    eventId: Schema.optionalKey(EventId),
    storageType: Schema.optionalKey(Schema.NullOr(StorageType)),
    storagePath: Schema.optionalKey(Schema.String),
    sizeBytes: Schema.optionalKey(Schema.Int),
    result: ResultViewStruct
  })
])
export type ControlFrame = typeof Control.Type
export const ControlFrame = wire("ExecutionFrame", Control)

/** Frames of our own first: a `result_stored` with a result is one of them. */
export const ExecutionFrame = Schema.Union([ControlFrame, WireEvent])
