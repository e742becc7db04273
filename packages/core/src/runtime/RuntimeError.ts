/** What may go wrong between us and the place where scripts run. */
import { Schema } from "effect"
import { JobId } from "./JobId.ts"

/** The runtime itself failed: not the script, not the request. */
export class RuntimeError extends Schema.TaggedError<RuntimeError>()("RuntimeError", {
  runtime: Schema.String,
  phase: Schema.Literals(["start", "observe", "stop", "remove", "list"]),
  /** True when the same call may succeed later. */
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {}

/** The job was removed after it ended, so it must not be started again. */
export class JobRemoved extends Schema.TaggedError<JobRemoved>()("JobRemoved", { jobId: JobId }) {}

/** No installed runtime can run this language in this version. */
export class LanguageUnsupported extends Schema.TaggedError<LanguageUnsupported>()("LanguageUnsupported", {
  language: Schema.String,
  requestedVersion: Schema.String,
  /** What would have been accepted: `language` to its versions, newest first. */
  supported: Schema.Record(Schema.String, Schema.Array(Schema.String))
}) {}
