/** Identity of one user. A leaf, so any area may refer to an owner. */
import { Schema } from "effect"

export const UserId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type
