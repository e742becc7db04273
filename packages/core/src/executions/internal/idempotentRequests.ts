/** Repeated requests: one that comes again under its idempotency key gets the execution that it made before. */
import { Effect, Option } from "effect"
import { Digest } from "effect/crypto"
import { fingerprint } from "../../ids/Fingerprint.ts"
import { IdempotencyKeyReused } from "../ExecutionError.ts"
import { ExecutionStore } from "../ExecutionStore.ts"
import { IdempotencyStore } from "../IdempotencyStore.ts"
import { requestText } from "../requestText.ts"
import type { NewExecution } from "./executionMaking.ts"

export const makeIdempotentRequests = Effect.gen(function* () {
  const [keys, executions, digest] = [yield* IdempotencyStore, yield* ExecutionStore, yield* Digest.Digest]
  /** The execution of an earlier request with this key; `undefined` when the key is new, and from now on this execution's. */
  return Effect.fnUntraced(function* ({ execution, request }: NewExecution, key: string) {
    const { createdAt: at, executionId, ownerId } = execution
    const requestHash = yield* Effect.provideService(fingerprint(requestText(request)), Digest.Digest, digest)
    const answer = yield* keys.claim({ ownerId, key, requestHash, executionId, at })
    if (answer._tag === "New") return undefined
    if (!answer.sameRequest) return yield* new IdempotencyKeyReused({ executionId: answer.executionId })
    return Option.getOrUndefined(yield* executions.find(answer.executionId))
  })
})
