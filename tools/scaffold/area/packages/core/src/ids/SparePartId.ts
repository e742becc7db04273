/** Identity of one spare part. A leaf, so any area may refer to it. */
import { Schema } from "effect"

export const SparePartId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("SparePartId"))
export type SparePartId = typeof SparePartId.Type
