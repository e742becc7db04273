/** Everything but the generated functions, which are in `@fairlead/client/operations`, and what needs Effect, in `@fairlead/client/effect`. */
// biome-ignore-all lint/performance/noBarrelFile: the entry of the package; bundlers drop what is not used.
// biome-ignore-all lint/performance/noReExportAll: the types of the API, which cost nothing.
export { type Connection, connect } from "./Connection.ts"
export { FairleadClient } from "./FairleadClient.ts"
export {
  type ClientCode,
  FairleadError,
  type FairleadErrorCode,
  type FairleadErrorInit,
  type Problem,
  type ProblemCode
} from "./FairleadError.ts"
export {
  type ApiKeyAuth,
  type Auth,
  type BearerAuth,
  type CallOptions,
  type FairleadOptions,
  type LoginAuth,
  login,
  type SessionAuth,
  type TokenPair
} from "./FairleadOptions.ts"
export {
  type AttemptFailed,
  type ExecutionEvent,
  type ExecutionFrame,
  type ExecutionStatus,
  type FollowOptions,
  followExecution,
  type OutputFrame
} from "./followExecution.ts"
export type { Problems } from "./generated/problems.gen.ts"
export type * from "./generated/types.gen.ts"
export type { SubmitOptions, WaitOptions } from "./internal/areas/ExecutionsCalls.ts"
export { type LogOptions, readLogs } from "./readLogs.ts"
export { type RunOptions, runScript } from "./runScript.ts"
