/** Identity of one saga. A leaf, so any area may refer to it. */
import { Schema } from "effect"

export const SagaId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("SagaId"))
export type SagaId = typeof SagaId.Type
