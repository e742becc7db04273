/**
 * The executable specification of `ScriptRuntime`: jobs of a tiny language, kept in memory, one command per line.
 *
 * `out <text>` and `err <text>` print a line · `hex <digits>` prints bytes · `fill <count>` prints that many `x` · `env <name>` and `args` print what the
 * job was given · `sleep <milliseconds>` · `later <milliseconds> <text>` prints a line from the background · `exit <code>` · `kill <signal>` · `exceed <limit>` · `hang` until it is stopped · `stubborn` ignores being asked
 * · `farewell <text>` is printed when it is asked · `overtake <code>` has just ended by itself, with that code, when it is asked.
 */
import { Clock, Deferred, Effect, Fiber, Layer, Option, Redacted, Result, Schema, Scope, Stream } from "effect"
import { Hex } from "effect/encoding"
import {
  type JobEnd,
  type JobHandle,
  type JobReport,
  type JobSpec,
  LimitName,
  type OutputName,
  type OutputOffsets,
  type ScriptOutput
} from "./Job.ts"
import type { JobId } from "./JobId.ts"
import { type MemoryOutput, makeMemoryOutput } from "./MemoryOutput.ts"
import { ResourceUsage } from "./ResourceUsage.ts"
import { JobRemoved, RuntimeError } from "./RuntimeError.ts"
import type { JobSummary, ScriptRuntime } from "./ScriptRuntime.ts"
import { ScriptRuntimes } from "./ScriptRuntimes.ts"

/** How long a job may take to end after it was asked to. */
const graceMillis = 1_000

interface Job {
  readonly handle: JobHandle
  readonly spec: JobSpec
  readonly stopRequested: Deferred.Deferred<void>
  readonly output: MemoryOutput
  /** Children of the fiber of the script, so that they end with it. */
  readonly background: Array<Fiber.Fiber<unknown>>
  stubborn: boolean
  /** Printed when the job is asked to end. */
  farewell: string | undefined
  /** The exit code with which it ended by itself before it could be asked to. */
  overtakes: number | undefined
  report: JobReport | undefined
  /** Completed, and replaced, whenever there is something new to observe. */
  changed: Deferred.Deferred<void>
}

/** The machine behind memory runtimes. Every `instance` sees the same jobs, which run until the place is closed. */
export interface MemoryNode {
  readonly instance: Effect.Effect<ScriptRuntime>
}

/** Registers a runtime of kind `process` with the language `lines`, or with the languages given, all of which run line scripts. */
export const layer = (
  languages: ScriptRuntime["languages"] = lines,
  node = "memory"
): Layer.Layer<never, never, ScriptRuntimes> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const runtimes = yield* ScriptRuntimes
      yield* runtimes.register(yield* (yield* makeNode(languages, node)).instance)
    })
  )

const lines: ScriptRuntime["languages"] = [{ name: "lines", versions: ["1.0.0"], fileExtension: "txt" }]

export const makeNode = Effect.fnUntraced(function* (
  languages: ScriptRuntime["languages"] = lines,
  node = "memory"
): Effect.fn.Return<MemoryNode, never, Scope.Scope> {
  const scope = yield* Scope.Scope
  const jobs = new Map<JobId, Job>()
  const removed = new Set<JobId>()

  const start = Effect.fnUntraced(function* (spec: JobSpec) {
    const { jobId } = spec
    const now = yield* Clock.currentTimeMillis
    if (removed.has(jobId)) return yield* new JobRemoved({ jobId })
    const found = jobs.get(jobId)
    if (found !== undefined) return found.handle
    if (!languages.some(({ name, versions }) => name === spec.language && versions.includes(spec.languageVersion)))
      return yield* failure("start", false, `no ${spec.language} ${spec.languageVersion}`)
    const job = newJob(spec, node, now)
    jobs.set(jobId, job)
    yield* Effect.forkIn(run(job), scope)
    return job.handle
  })

  const remove = Effect.fnUntraced(function* ({ jobId }: JobHandle) {
    const job = jobs.get(jobId)
    if (job === undefined) return
    if (job.report === undefined) return yield* failure("remove", true, `job ${jobId} is running`)
    removed.add(jobId)
    jobs.delete(jobId)
  })

  const runtime: ScriptRuntime = {
    kind: "process",
    node,
    languages,
    isolation: "none: the jobs are simulated",
    start,
    remove,
    observe: (handle, from) =>
      Stream.suspend(() => {
        const job = jobs.get(handle.jobId)
        return job === undefined ? Stream.succeed(unknownJob(handle)) : observe(job, from)
      }),
    stop: ({ jobId }) =>
      Effect.suspend(() => {
        const job = jobs.get(jobId)
        return job === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(job.stopRequested, undefined))
      }),
    list: Effect.sync(() => [...jobs.values()].map(summary)),
    inspect: (jobId) => Effect.sync(() => Option.map(Option.fromUndefinedOr(jobs.get(jobId)), summary))
  }
  return { instance: Effect.succeed(runtime) }
})

const newJob = (spec: JobSpec, node: string, beganAt: number): Job => ({
  handle: { runtime: "process", jobId: spec.jobId, node },
  spec,
  stopRequested: Deferred.makeUnsafe(),
  output: makeMemoryOutput(spec.limits.outputBytes, beganAt),
  background: [],
  stubborn: false,
  farewell: undefined,
  overtakes: undefined,
  report: undefined,
  changed: Deferred.makeUnsafe()
})

const summary = ({ handle, report }: Job): JobSummary => ({
  handle,
  state: report === undefined ? "running" : "ended"
})

const failure = (phase: RuntimeError["phase"], retryable: boolean, detail: string) =>
  new RuntimeError({ runtime: "memory", phase, retryable, cause: new Error(detail) })

const unknownJob = ({ jobId }: JobHandle): ScriptOutput => ({
  _tag: "Ended",
  report: {
    end: { _tag: "Lost", detail: `there is no job ${jobId}` },
    stdout: { writtenBytes: 0, keptBytes: 0 },
    stderr: { writtenBytes: 0, keptBytes: 0 }
  }
})

// Running

const run = Effect.fnUntraced(function* (job: Job) {
  const started = yield* Clock.currentTimeMillis
  const { timeoutMillis } = job.spec.limits
  const end = yield* Effect.raceAllFirst([
    runScript(job),
    Effect.sleep(timeoutMillis).pipe(Effect.andThen(askToEnd(job)), Effect.as(ended({ _tag: "TimedOut" }))),
    stopped(job)
  ])
  job.output.end()
  const wallMillis = (yield* Clock.currentTimeMillis) - started
  job.report = {
    end,
    usage: new ResourceUsage({
      executionTimeWallSeconds: wallMillis / 1000,
      cpuTimeJiffies: 0,
      clkTckHertz: 100,
      peakMemoryKb: 0
    }),
    stdout: job.output.totals("stdout"),
    stderr: job.output.totals("stderr")
  }
  announce(job)
})

const ended = (end: JobEnd): JobEnd => end

const stopped = Effect.fnUntraced(function* (job: Job) {
  yield* Deferred.await(job.stopRequested)
  if (job.overtakes !== undefined) return ended({ _tag: "Exited", exitCode: job.overtakes })
  yield* askToEnd(job)
  return ended({ _tag: "Stopped", forced: job.stubborn })
})

const askToEnd = (job: Job) =>
  Effect.gen(function* () {
    if (job.farewell !== undefined) yield* write(job, "stdout", utf8(`${job.farewell}\n`))
    if (job.stubborn) yield* Effect.sleep(graceMillis)
  })

const runScript = Effect.fnUntraced(function* (job: Job) {
  const end = yield* runLines(job)
  if (job.spec.waitForBackground === true) yield* Fiber.awaitAll(job.background)
  return end
})

const runLines = Effect.fnUntraced(function* (job: Job) {
  for (const line of job.spec.script.split("\n")) {
    const end = yield* runLine(job, line)
    if (end !== undefined) return end
  }
  return ended({ _tag: "Exited", exitCode: 0 })
})

const runLine = Effect.fnUntraced(function* (job: Job, line: string): Effect.fn.Return<JobEnd | undefined> {
  const [command = "", argument = ""] = /^(\S*) ?(.*)$/.exec(line)?.slice(1) ?? []
  const { args, env } = job.spec
  switch (command) {
    case "":
      return undefined
    case "out":
      return yield* write(job, "stdout", utf8(`${argument}\n`))
    case "err":
      return yield* write(job, "stderr", utf8(`${argument}\n`))
    case "hex":
      return yield* write(job, "stdout", hex(argument))
    case "fill":
      return yield* write(job, "stdout", new Uint8Array(Number(argument)).fill(0x78))
    case "env":
      return yield* write(job, "stdout", utf8(`${Redacted.value(env)[argument] ?? ""}\n`))
    case "args":
      return yield* write(job, "stdout", utf8(args.map((arg) => `${arg}\n`).join("")))
    case "sleep":
      yield* Effect.sleep(Number(argument))
      return undefined
    case "later": {
      const [millis, ...words] = argument.split(" ")
      const line = write(job, "stdout", utf8(`${words.join(" ")}\n`))
      job.background.push(yield* Effect.forkChild(Effect.delay(line, Number(millis))))
      return undefined
    }
    case "hang":
      return yield* Effect.never
    case "stubborn":
      job.stubborn = true
      return undefined
    case "farewell":
      job.farewell = argument
      return undefined
    case "overtake":
      job.overtakes = Number(argument)
      return undefined
    case "exit":
      return { _tag: "Exited", exitCode: Number(argument) }
    case "kill":
      return { _tag: "Signalled", signal: argument }
    case "exceed":
      return { _tag: "LimitExceeded", limit: limitNamed(argument), exitCode: null, suspected: false }
    default:
      yield* write(job, "stderr", utf8(`unknown command: ${command}\n`))
      return { _tag: "Exited", exitCode: 127 }
  }
})

const decodeLimit = Schema.decodeUnknownOption(LimitName)
const limitNamed = (name: string) => Option.getOrElse(decodeLimit(name), () => "memory" as const)

const write = Effect.fnUntraced(function* (job: Job, output: OutputName, bytes: Uint8Array) {
  job.output.write(output, bytes, yield* Clock.currentTimeMillis)
  announce(job)
  return undefined
})

const announce = (job: Job) => {
  const { changed } = job
  job.changed = Deferred.makeUnsafe()
  Deferred.doneUnsafe(changed, Effect.void)
}

const utf8 = (text: string) => hex(Hex.encode(text))

const hex = (digits: string) => Result.getOrThrow(Hex.decode(digits))

// Observing

const observe = (job: Job, from: OutputOffsets): Stream.Stream<ScriptOutput> =>
  Stream.paginate(from, (at) =>
    Effect.gen(function* () {
      const { changed, output, report } = job
      const chunks = output.chunks(at)
      if (report !== undefined) return [[...chunks, { _tag: "Ended", report }], Option.none()]
      if (chunks.length === 0) yield* Deferred.await(changed)
      return [chunks, Option.some(chunks.length === 0 ? at : output.offsets())]
    })
  )
