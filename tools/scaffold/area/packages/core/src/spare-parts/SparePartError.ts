/** What callers of the spare parts area can be told. */
import { Schema } from "effect"
import { SparePartId } from "../ids/SparePartId.ts"

/** Unknown, or somebody else's: one answer for both. */
export class SparePartNotFound extends Schema.TaggedError<SparePartNotFound>()("SparePartNotFound", {
  sparePartId: SparePartId
}) {}

/** The change asked for leaves the spare part as it is. */
export class SparePartUnchanged extends Schema.TaggedError<SparePartUnchanged>()("SparePartUnchanged", {
  sparePartId: SparePartId
}) {}

/** Others changed the spare part each time that this change was tried. */
export class SparePartContended extends Schema.TaggedError<SparePartContended>()("SparePartContended", {
  sparePartId: SparePartId
}) {}
