/** Identity of one accepted request to run a script. A leaf, so any area may refer to it. */
import { Schema } from "effect"

export const ExecutionId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("ExecutionId"))
export type ExecutionId = typeof ExecutionId.Type
