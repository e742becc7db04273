/**
 * A runtime whose scripts are stage directions, so that tests decide what is written and when. One a line:
 * `out text`, `err text`, `hex stdout c3a9` (exact bytes, one chunk), `fill stdout 300000` (bytes of a pattern with characters of every length and some that are none), `hold` (until `release`), `hang` (until it is stopped), `deaf` (from here on a request to
 * stop is ignored), `exit 3`. A script without `exit` ends with 0.
 */
import type { JobEnd, JobReport, OutputName, ScriptOutput } from "@fairlead/core/runtime/Job"
import type { JobId } from "@fairlead/core/runtime/JobId"
import type { Language } from "@fairlead/core/runtime/Language"
import { JobRemoved } from "@fairlead/core/runtime/RuntimeError"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Bytes, Context, Deferred, Effect, Layer, Option, Queue, Stream } from "effect"

const languages: ReadonlyArray<Language> = [
  { name: "python", versions: ["3.12.1", "3.11.7"], fileExtension: "py" },
  { name: "bash", versions: ["5.2.15"], fileExtension: "sh" }
]

/** Lets every script that waits in `hold` go on, and those that come there later. */
export class Release extends Context.Service<Release, Effect.Effect<void>>()("test/ScriptedRuntime/Release") {}

interface Job {
  readonly written: Record<OutputName, Uint8Array>
  readonly watchers: Set<Queue.Queue<void>>
  readonly stopped: Deferred.Deferred<void>
  deaf: boolean
  end: JobEnd | undefined
}

const utf8 = new TextEncoder()
const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

const period = Bytes.concat([utf8.encode('a"\\\u0007\nä€𝄞\u2028'), Uint8Array.from([0xff, 0xe2, 0x82, 0xf0])])
export const pattern = (length: number) => Uint8Array.from({ length }, (_, i) => period[i % period.length] ?? 0)

const make = Effect.gen(function* () {
  const jobs = new Map<JobId, Job>()
  const gate = yield* Deferred.make<void>()
  const scope = yield* Effect.scope

  const changed = (job: Job) => {
    for (const watcher of job.watchers) Queue.offerUnsafe(watcher, undefined)
  }
  const write = (job: Job, output: OutputName, bytes: Uint8Array) => {
    job.written[output] = Bytes.concat([job.written[output], bytes])
    changed(job)
  }
  const play = Effect.fnUntraced(function* (job: Job, script: string) {
    for (const line of script.split("\n")) {
      const [verb = "", rest = ""] = [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)]
      if (verb === "out") write(job, "stdout", utf8.encode(`${rest}\n`))
      if (verb === "err") write(job, "stderr", utf8.encode(`${rest}\n`))
      if (verb === "hex") write(job, rest.startsWith("stderr") ? "stderr" : "stdout", bytesOf(rest.slice(7)))
      if (verb === "fill") write(job, rest.startsWith("stderr") ? "stderr" : "stdout", pattern(Number(rest.slice(7))))
      if (verb === "deaf") job.deaf = true
      if (verb === "hold")
        yield* job.deaf ? Deferred.await(gate) : Effect.raceFirst(Deferred.await(gate), Deferred.await(job.stopped))
      if (verb === "hang") yield* Deferred.await(job.stopped)
      if (!job.deaf && (yield* Deferred.isDone(job.stopped))) break
      if (verb === "exit") job.end = { _tag: "Exited", exitCode: Number(rest) }
      yield* Effect.yieldNow
    }
    job.end ??= (yield* Deferred.isDone(job.stopped))
      ? { _tag: "Stopped", forced: false }
      : { _tag: "Exited", exitCode: 0 }
    changed(job)
  })
  const reportOf = (job: Job, end: JobEnd): JobReport => {
    const total = (output: OutputName) => ({
      writtenBytes: job.written[output].length,
      keptBytes: job.written[output].length
    })
    return { end, stdout: total("stdout"), stderr: total("stderr") }
  }
  const find = (jobId: JobId) =>
    Effect.sync(() => jobs.get(jobId)).pipe(
      Effect.flatMap((job) => (job === undefined ? Effect.die(`no job ${jobId}`) : Effect.succeed(job)))
    )
  const handleOf = (jobId: JobId) => ({ runtime: "process" as const, jobId, node: "stage" })
  const stateOf = (job: Job) => (job.end === undefined ? ("running" as const) : ("ended" as const))
  const removed = new Set<JobId>()

  const runtime: ScriptRuntime = {
    kind: "process",
    node: "stage",
    languages,
    isolation: "none: nothing is run",
    start: Effect.fnUntraced(function* ({ jobId, script }) {
      if (removed.has(jobId)) return yield* new JobRemoved({ jobId })
      if (jobs.has(jobId)) return handleOf(jobId)
      const job: Job = {
        written: { stdout: new Uint8Array(), stderr: new Uint8Array() },
        watchers: new Set(),
        stopped: yield* Deferred.make<void>(),
        deaf: false,
        end: undefined
      }
      jobs.set(jobId, job)
      yield* Effect.forkIn(play(job, script), scope)
      return handleOf(jobId)
    }),
    observe: (handle, from) =>
      Stream.callback<ScriptOutput>((queue) =>
        Effect.gen(function* () {
          const job = yield* find(handle.jobId)
          const news = yield* Queue.sliding<void>(1)
          yield* Effect.acquireRelease(
            Effect.sync(() => job.watchers.add(news)),
            () => Effect.sync(() => job.watchers.delete(news))
          )
          const seen = { ...from }
          while (true) {
            const { end } = job
            for (const output of ["stdout", "stderr"] as const) {
              const bytes = job.written[output].slice(seen[output])
              if (bytes.length === 0) continue
              yield* Queue.offer(queue, { _tag: "Chunk", output, offset: seen[output], bytes })
              seen[output] += bytes.length
            }
            if (end !== undefined) {
              yield* Queue.offer(queue, { _tag: "Ended", report: reportOf(job, end) })
              return yield* Queue.end(queue)
            }
            yield* Queue.take(news)
          }
        })
      ),
    stop: (handle) => Effect.flatMap(find(handle.jobId), (job) => Deferred.succeed(job.stopped, undefined)),
    remove: (handle) =>
      Effect.sync(() => {
        jobs.delete(handle.jobId)
        removed.add(handle.jobId)
      }),
    list: Effect.sync(() => [...jobs].map(([jobId, job]) => ({ handle: handleOf(jobId), state: stateOf(job) }))),
    inspect: (jobId) =>
      Effect.sync(() =>
        Option.map(Option.fromUndefinedOr(jobs.get(jobId)), (job) => ({ handle: handleOf(jobId), state: stateOf(job) }))
      )
  }
  yield* (yield* ScriptRuntimes).register(runtime)
  return Effect.asVoid(Deferred.succeed(gate, undefined))
})

export const layer = Layer.effect(Release, make).pipe(Layer.provideMerge(ScriptRuntimes.layer))
