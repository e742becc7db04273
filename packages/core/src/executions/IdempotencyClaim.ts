/** One use of an idempotency key. */
import type { DateTime } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import type { UserId } from "../ids/UserId.ts"

export interface IdempotencyClaim {
  readonly ownerId: UserId
  /** 1 to 255 characters, as the client sent it. */
  readonly key: string
  /** Digest of the request; the same request gives the same digest. */
  readonly requestHash: string
  /** The execution to be made if the key is new. */
  readonly executionId: ExecutionId
  readonly at: DateTime.Utc
}
