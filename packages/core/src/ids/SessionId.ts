/** Identity of one login; its refresh tokens form a family. A leaf, so any area may refer to it. */
import { Schema } from "effect"

export const SessionId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type
