/** A machine that holds jobs: it counts starts, remembers what jobs wrote, and may lose one. Hosts meet it through their gates. */
import type { JobHandle, JobReport, ScriptOutput } from "@fairlead/core/runtime/Job"
import type { JobId } from "@fairlead/core/runtime/JobId"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import { RuntimeError } from "@fairlead/core/runtime/RuntimeError"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { Bytes, Effect, Option, Stream } from "effect"
import type { Gate } from "./Gate.ts"
import { changed } from "./GatedStores.ts"

/** What one job wrote and how it ended, as its machine knows it. */
export interface KeptJob {
  readonly stdout: Uint8Array
  readonly report: JobReport
}

export interface SimulatedMachine {
  readonly node: string
  readonly runtime: ScriptRuntime
  /** The job of each script that began here, once for each beginning; a sabotaged runtime calls the second one `…-again-1`. */
  readonly starts: ReadonlyArray<string>
  readonly kept: ReadonlyMap<JobId, KeptJob>
  /** From now on nobody knows what became of the job. */
  lose(jobId: JobId): Effect.Effect<void, RuntimeError>
  readonly running: Effect.Effect<ReadonlyArray<JobId>, RuntimeError>
}

/** `sabotage` changes the runtime below the counting. */
export const make = Effect.fnUntraced(function* (
  node: string,
  sabotage: (runtime: ScriptRuntime) => ScriptRuntime = (runtime) => runtime
) {
  const honest = yield* (yield* MemoryScriptRuntime.makeNode(undefined, node)).instance
  const starts: Array<string> = []
  const counted: ScriptRuntime = {
    ...honest,
    start: (spec) =>
      Effect.flatMap(honest.inspect(spec.jobId), (before) =>
        Effect.map(honest.start(spec), (handle) => {
          if (Option.isNone(before)) starts.push(spec.jobId.replace(/-again-\d+$/, ""))
          return handle
        })
      )
  }
  const inner = sabotage(counted)
  const lost = new Set<JobId>()
  const kept = new Map<JobId, KeptJob>()
  const lostOutput = ({ jobId }: JobHandle): ScriptOutput => ({
    _tag: "Ended",
    report: {
      end: { _tag: "Lost", detail: `job ${jobId} was lost` },
      stdout: { writtenBytes: 0, keptBytes: 0 },
      stderr: { writtenBytes: 0, keptBytes: 0 }
    }
  })
  const keep = Effect.fnUntraced(function* (handle: JobHandle) {
    const items = yield* Stream.runCollect(inner.observe(handle, { stdout: 0, stderr: 0 }))
    const stdout = Bytes.concat(
      items.flatMap((item) => (item._tag === "Chunk" && item.output === "stdout" ? [item.bytes] : []))
    )
    for (const item of items) if (item._tag === "Ended") kept.set(handle.jobId, { stdout, report: item.report })
  })

  const runtime: ScriptRuntime = {
    ...inner,
    observe: (handle, from) =>
      Stream.suspend(() =>
        lost.has(handle.jobId) ? Stream.succeed(lostOutput(handle)) : inner.observe(handle, from)
      ).pipe(Stream.map((item) => (item._tag === "Ended" && lost.has(handle.jobId) ? lostOutput(handle) : item))),
    remove: (handle) =>
      Effect.flatMap(inner.inspect(handle.jobId), (job) =>
        Option.isSome(job) && job.value.state === "ended"
          ? Effect.andThen(keep(handle), inner.remove(handle))
          : inner.remove(handle)
      ),
    inspect: (jobId) =>
      Effect.map(
        inner.inspect(jobId),
        Option.map((job) => (lost.has(jobId) ? { ...job, state: "lost" as const } : job))
      )
  }
  const running = Effect.map(runtime.list, (jobs) =>
    jobs.filter(({ state }) => state === "running").map(({ handle }) => handle.jobId)
  )
  const machine: SimulatedMachine = {
    node,
    runtime,
    starts,
    kept,
    running,
    lose: (jobId) =>
      Effect.andThen(
        Effect.sync(() => lost.add(jobId)),
        runtime.stop({ runtime: runtime.kind, jobId, node })
      )
  }
  return machine
})

const phases = ["start", "observe", "stop", "remove", "list"] as const

/** The place as one host meets it. */
export const gated = (runtime: ScriptRuntime, gate: Gate): ScriptRuntime => {
  const broken = (method: string) =>
    Effect.suspend(() =>
      Effect.fail(
        new RuntimeError({
          runtime: "simulated",
          phase: phases.find((phase) => phase === method) ?? "list",
          retryable: true,
          cause: "simulated"
        })
      )
    )
  return {
    ...changed(runtime, (call, method) => gate.disturb(call, broken(method))),
    observe: (handle, from) =>
      Stream.mapEffect(runtime.observe(handle, from), (item) => gate.disturb(Effect.succeed(item), broken("observe")))
  }
}
