/** Why an execution did not complete. A leaf, because events and models both name it. */
import { Schema } from "effect"

export const ExecutionErrorType = Schema.Literals([
  "system_error",
  "timeout",
  "resource_limit",
  "script_error",
  "permission_denied"
])
export type ExecutionErrorType = typeof ExecutionErrorType.Type
