/** Identity of one API key. A leaf, so any area may refer to it. */
import { Schema } from "effect"

export const ApiKeyId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("ApiKeyId"))
export type ApiKeyId = typeof ApiKeyId.Type
