/** The jobs of executions: starts them, waits for them, takes them back. The one place where executions meet runtimes. */

import { Context, Effect, Layer, Option, Redacted } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"
import type { JobHandle, JobReport, JobSpec } from "../runtime/Job.ts"
import { jobIdOf } from "../runtime/JobId.ts"
import { type NodeId, nodeIdOf } from "../runtime/NodeId.ts"
import type { RuntimeError } from "../runtime/RuntimeError.ts"
import type { ScriptRuntime } from "../runtime/ScriptRuntime.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import type { Saga } from "../sagas/Saga.ts"
import { type SagaFenced, StepError } from "../sagas/SagaDefinition.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Execution } from "./Execution.ts"
import { ExecutionEnv } from "./ExecutionEnv.ts"
import { ExecutionOutputStore } from "./ExecutionOutputStore.ts"
import { OutputCollector } from "./OutputCollector.ts"
import { InstanceUrl, scriptVariables } from "./ScriptVariables.ts"

export class ExecutionJobs extends Context.Service<
  ExecutionJobs,
  {
    /** Whether this instance serves the node, so that it can see and stop what runs there. */
    reaches(nodeId: NodeId): Effect.Effect<boolean>
    /** Gets or creates the job of one attempt. */
    start(execution: Execution, attempt: number): Effect.Effect<JobHandle, StepError>
    /**
     * Stores the job's output until it has ended. A job on a node that this instance does not reach is reported as lost. `fresh`:
     * nothing of the attempt can be stored yet.
     */
    collect(
      saga: Saga,
      handle: JobHandle,
      attempt: number,
      fresh: boolean
    ): Effect.Effect<JobReport, StepError | SagaFenced | StorageError>
    /** Ends the job of an attempt that may or may not have begun, and stores what it wrote; none if it never became a job. */
    stop(
      saga: Saga,
      execution: Execution,
      attempt: number
    ): Effect.Effect<Option.Option<JobReport>, StepError | SagaFenced | StorageError>
    /** Frees what the runtime holds of an ended job; nothing where this instance does not reach it. */
    remove(handle: JobHandle): Effect.Effect<void, StepError>
  }
>()("@fairlead/core/executions/ExecutionJobs") {
  static readonly layer = Layer.effect(
    ExecutionJobs,
    Effect.gen(function* () {
      const runtimes = yield* ScriptRuntimes
      const collector = yield* OutputCollector
      const instanceUrl = yield* InstanceUrl
      const [environment, outputs] = [yield* ExecutionEnv, yield* ExecutionOutputStore]

      const runtimeOf = Effect.fnUntraced(function* (kind: JobHandle["runtime"]) {
        const found = yield* runtimes.find(kind)
        if (Option.isSome(found)) return found.value
        return yield* new StepError({
          failureType: "RuntimeMissing",
          detail: `this host has no ${kind} runtime`,
          retryable: true
        })
      })

      const reaches = (nodeId: NodeId) =>
        Effect.map(runtimes.all, (all) => all.some((runtime) => nodeIdOf(runtime) === nodeId))

      /** What is known of a job that nobody can ask for any more: the output that was stored. */
      const lost = Effect.fnUntraced(function* ({ subject }: Saga, attempt: number, node: string) {
        const executionId = ExecutionId.make(subject.id)
        const { stderr, stdout } = yield* outputs.sizes({ executionId, attempt })
        const report: JobReport = {
          end: { _tag: "Lost", detail: `the instance that held it on ${node}, is gone` },
          stdout: { writtenBytes: stdout, keptBytes: stdout },
          stderr: { writtenBytes: stderr, keptBytes: stderr }
        }
        return report
      })

      const collectFrom = (runtime: ScriptRuntime, saga: Saga, handle: JobHandle, attempt: number, fresh = false) =>
        collector
          .collect(runtime, handle, { executionId: ExecutionId.make(saga.subject.id), attempt }, saga, fresh)
          .pipe(Effect.catchTag("RuntimeError", stepError))

      const start = Effect.fnUntraced(function* (execution: Execution, attempt: number) {
        const runtime = yield* runtimeOf(execution.runtime)
        const env = yield* Effect.catchTag(environment.open(execution), "SecretUnreadable", () =>
          Effect.fail(
            new StepError({
              failureType: "SecretUnreadable",
              detail: "the environment of the execution cannot be decrypted with the keys of this host",
              retryable: false
            })
          )
        )
        const { executionId } = execution
        const own = scriptVariables({ executionId, attempt, node: runtime.node, instanceUrl })
        const whole = Redacted.make({ ...Redacted.value(env), ...own })
        return yield* runtime.start(specOf(execution, attempt, whole)).pipe(
          Effect.catchTags({
            RuntimeError: stepError,
            JobRemoved: ({ _tag, jobId }) =>
              Effect.fail(new StepError({ failureType: _tag, detail: `job ${jobId} ended before`, retryable: false }))
          })
        )
      })

      const stop = Effect.fnUntraced(function* (saga: Saga, execution: Execution, attempt: number) {
        const { nodeId } = execution
        if (nodeId !== undefined && !(yield* reaches(nodeId))) return Option.some(yield* lost(saga, attempt, nodeId))
        const runtime = yield* runtimeOf(execution.runtime)
        const found = yield* Effect.catchTag(
          runtime.inspect(jobIdOf(execution.executionId, attempt)),
          "RuntimeError",
          stepError
        )
        if (Option.isNone(found)) return Option.none<JobReport>()
        const { handle, state } = found.value
        if (state === "prepared") {
          yield* Effect.catchTag(runtime.remove(handle), "RuntimeError", stepError)
          return Option.none<JobReport>()
        }
        yield* Effect.catchTag(runtime.stop(handle), "RuntimeError", stepError)
        return Option.some(yield* collectFrom(runtime, saga, handle, attempt))
      })

      return ExecutionJobs.of({
        reaches,
        start,
        stop,
        collect: Effect.fnUntraced(function* (saga, handle, attempt, fresh) {
          if (!(yield* reaches(nodeIdOf({ kind: handle.runtime, node: handle.node }))))
            return yield* lost(saga, attempt, handle.node)
          return yield* collectFrom(yield* runtimeOf(handle.runtime), saga, handle, attempt, fresh)
        }),
        remove: Effect.fnUntraced(function* (handle) {
          if (!(yield* reaches(nodeIdOf({ kind: handle.runtime, node: handle.node })))) return
          yield* Effect.catchTag((yield* runtimeOf(handle.runtime)).remove(handle), "RuntimeError", stepError)
        })
      })
    })
  )
}

const stepError = ({ _tag, phase, retryable, runtime }: RuntimeError) =>
  Effect.fail(
    new StepError({ failureType: _tag, detail: `the ${runtime} runtime failed to ${phase} the job`, retryable })
  )

const specOf = (
  execution: Execution,
  attempt: number,
  env: Redacted.Redacted<Readonly<Record<string, string>>>
): JobSpec => {
  const { args, executionId, lang, limits, resolvedVersion, script, waitForBackground = false } = execution
  return {
    jobId: jobIdOf(executionId, attempt),
    script,
    language: lang,
    languageVersion: resolvedVersion,
    args,
    env,
    limits: {
      timeoutMillis: limits.timeoutMillis,
      memoryBytes: limits.memoryBytes,
      cpuMillis: Math.ceil((limits.timeoutMillis * limits.cpuMillicores) / 1000),
      processes: limits.processes,
      diskBytes: limits.diskBytes,
      fileSizeBytes: Math.min(limits.fileSizeBytes, limits.diskBytes),
      openFiles: limits.openFiles,
      outputBytes: limits.outputBytes
    },
    waitForBackground
  }
}
