/** Proof of the right to write for a saga: each executor raises the number, and a write with an older one touches no row. */
import { Schema } from "effect"
import { SagaId } from "../ids/SagaId.ts"

export const SagaFence = Schema.Struct({ sagaId: SagaId, fence: Schema.Int })
export type SagaFence = typeof SagaFence.Type
