/**
 * How much output may be kept of one user's executions. Pure. Only ended attempts count: what runs or waits may pass the quota by what
 * it is allowed to keep itself.
 */
import { StoredOutputExhausted } from "./ExecutionError.ts"

/** Bytes for each user: 1 GiB. */
export const defaultMaxStoredOutputBytes = 1024 ** 3

/** `undefined`: the owner of `storedBytes` may have more. A maximum of 0 refuses nobody. */
export const quotaRefusalOf = (storedBytes: number, maximumBytes: number): StoredOutputExhausted | undefined =>
  maximumBytes === 0 || storedBytes < maximumBytes
    ? undefined
    : new StoredOutputExhausted({ storedBytes, maximumBytes })
