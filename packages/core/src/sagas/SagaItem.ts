/** What the engine's queue holds. */

import type { SagaId } from "../ids/SagaId.ts"
import type { Saga } from "./Saga.ts"
import type { SagaEntry } from "./SagaEntry.ts"

/** A saga with what its executor would read first. */
export interface ClaimedSaga {
  readonly saga: Saga
  readonly subject: unknown
  /** Its whole log. */
  readonly entries: ReadonlyArray<SagaEntry>
}

/** One item: execute this saga, if this is still its dispatch number. */
export interface SagaDispatch {
  readonly sagaId: SagaId
  readonly dispatch: number
  /** Of a saga that began in the hands of this host: nothing needs to be claimed or read before it is executed. */
  readonly begun?: ClaimedSaga | undefined
}

export const itemOf = (begun: ClaimedSaga): SagaDispatch => ({
  sagaId: begun.saga.sagaId,
  dispatch: begun.saga.dispatch,
  begun
})

/** Items that only some instances can execute, for example those whose job is on one machine. `undefined`: every instance can. */
export type SagaNode = string | undefined

/** An item in memory; nobody but the instance that holds it gets it before it is due. */
export interface QueueItem extends SagaDispatch {
  readonly nodeId: SagaNode
  readonly dueMillis: number
}
export const itemName = ({ dispatch, sagaId }: SagaDispatch, nodeId: SagaNode) =>
  `${sagaId}:${dispatch} ${nodeId ?? ""}`
