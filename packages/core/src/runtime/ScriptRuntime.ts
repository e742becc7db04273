/** Port: a node where scripts run. A runtime holds jobs by their id; it knows nothing of executions or sagas. */
import type { Effect, Option, Stream } from "effect"
import type { JobHandle, JobSpec, OutputOffsets, RuntimeKind, ScriptOutput } from "./Job.ts"
import type { JobId } from "./JobId.ts"
import type { Language } from "./Language.ts"
import type { JobRemoved, RuntimeError } from "./RuntimeError.ts"

export interface JobSummary {
  readonly handle: JobHandle
  readonly state: "prepared" | "running" | "ended" | "lost"
}

/** Why a runtime starts nothing just now, in a word that anybody may read. `disk`: less of it is free than is kept in reserve. */
export type RuntimeObstacle = "disk"

export interface ScriptRuntime {
  readonly kind: RuntimeKind
  /** Name of the machine, cluster or server behind this runtime. */
  readonly node: string
  /** What can be run here, found at start-up; at most 100. */
  readonly languages: ReadonlyArray<Language>
  /** How far jobs are kept from each other and from the instance, in words. Callers without a credential may read it: no path, no text of a system. */
  readonly isolation: string

  /**
   * What keeps it from starting anything at this moment; `undefined` when nothing does. It passes by itself, and until then executions wait.
   * Asked before each start, so it takes microseconds. Absent: nothing ever does.
   */
  readonly obstacle?: Effect.Effect<RuntimeObstacle | undefined>

  /**
   * Gets or creates the job: any number of calls with one job id, from any number of instances, start the script at most once and
   * return the same handle. The job outlives the instance. Fails with `JobRemoved` for a job that `remove` took away. An instance that
   * is frozen meanwhile for more than 5 s begins nothing when it wakes up: it fails, retryable.
   */
  start(spec: JobSpec): Effect.Effect<JobHandle, JobRemoved | RuntimeError>

  /**
   * Output from `from` on, each stream's bytes in order and without gaps, ending with exactly one `Ended`, behind every byte.
   * A job that ended before is reported the same way. Interrupting stops watching, never the script; `stop` does that.
   * A job that this runtime does not hold ends `Lost`.
   */
  observe(handle: JobHandle, from: OutputOffsets): Stream.Stream<ScriptOutput, RuntimeError>

  /**
   * Asks the whole process tree to end, and kills it after a grace of at most 1 s. Returns when the request is recorded, which
   * survives a crash of this instance; `observe` tells the end. Stopping an ended or unknown job changes nothing.
   */
  stop(handle: JobHandle): Effect.Effect<void, RuntimeError>

  /**
   * Forgets an ended job, or one that is only prepared, and frees what it held. The id stays refused by `start` for a day at
   * least. Removing twice, or an unknown job, changes nothing. Fails, retryable, while the job runs.
   */
  remove(handle: JobHandle): Effect.Effect<void, RuntimeError>

  /** Every job held here, prepared, running or ended, in no order. */
  readonly list: Effect.Effect<ReadonlyArray<JobSummary>, RuntimeError>

  /** What became of one job; none when the runtime does not hold it. */
  inspect(jobId: JobId): Effect.Effect<Option.Option<JobSummary>, RuntimeError>
}
