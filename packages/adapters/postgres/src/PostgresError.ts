/** Driver failures become `StorageError`. A row that does not decode is a defect: schema and table disagree. */
import { type StorageCondition, StorageError } from "@fairlead/core/storage/StorageError"
import { Cause, Effect, Predicate, type Schema } from "effect"
import { SqlError } from "effect/sql"

/** Turns what a store method fails with into the one failure of the port. An id that exists is an error of the caller. */
export const storageError =
  (operation: string) =>
  <A, R>(effect: Effect.Effect<A, SqlError.SqlError | Schema.SchemaError, R>): Effect.Effect<A, StorageError, R> =>
    Effect.catch(effect, (error) =>
      error._tag === "SchemaError" || error.reason._tag === "UniqueViolation"
        ? Effect.die(error)
        : Effect.fail(toStorageError(operation, error))
    )

export const toStorageError = (operation: string, cause: SqlError.SqlError): StorageError => {
  const condition = conditionOf(cause)
  return new StorageError({ operation, retryable: isRetryable(cause), cause, ...(condition && { condition }) })
}

const stateOf = ({ reason: { cause } }: SqlError.SqlError) =>
  Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : ""

const conditionOf = (error: SqlError.SqlError): StorageCondition | undefined => {
  const state = stateOf(error)
  if (state === "25006") return "read-only"
  if (state === "53100") return "full"
  return error.reason._tag === "ConnectionError" ? "unreachable" : undefined
}

/** True when the same statement may succeed later: the server went away, refused for now, or chose another transaction. */
export const isRetryable = (error: SqlError.SqlError): boolean => error.isRetryable || passing.test(stateOf(error))

/** The executor's failure in a cause, be it a failure or a defect. */
export const sqlErrorIn = (cause: Cause.Cause<unknown>): SqlError.SqlError | undefined =>
  cause.reasons
    .map((reason) =>
      Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined
    )
    .find(SqlError.isSqlError)

/**
 * SQLSTATEs of conditions that pass: out of resources (53), server stopping or starting (57P0x), session ended for idling in a
 * transaction (25P03), and a read-only standby that was promoted or left behind by a failover (25006).
 */
const passing = /^(53...|57P0[1-5]|25P03|25006)$/
