/** Follows the files of one job. Output is read from them only, so it makes no difference who started the job, or when. */
import { watch } from "node:fs"
import { join } from "node:path"
import type { JobReport, OutputOffsets, OutputStream, ScriptOutput } from "@fairlead/core/runtime/Job"
import { Effect, Option, Predicate, Queue, type Scope, Stream } from "effect"
import { reportOf } from "./exitRecord.ts"
import { FileFailure, readText } from "./files.ts"
import { endOf, type JobState, stateOf } from "./jobDirectory.ts"
import { type OutputFile, outputFile } from "./outputFile.ts"

const pieceBytes = 65_536
const lastWordsBytes = 8_192
/** Between looks when the directory is silent: a shim that was killed makes no sound. */
const sweepMillis = 1_000
const maximumUnclaimedSweeps = 10

interface Watched {
  readonly directory: string
  readonly files: Readonly<Record<OutputStream, OutputFile>>
  /** Holds an item when there is output, or the end, since the last look. */
  readonly changes: Queue.Dequeue<void>
}

export interface Observation {
  readonly directory: string
  readonly bootId: string
  readonly from: OutputOffsets
  /** What becomes of a job that is not here. */
  readonly absent: Effect.Effect<JobReport, FileFailure>
  /** Gives a job that was prepared, but not claimed, to a shim. */
  readonly relaunch: Effect.Effect<void, FileFailure>
}

export const observation = (job: Observation): Stream.Stream<ScriptOutput, FileFailure> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const watched = yield* watchJob(job.directory)
      return Stream.paginate(initially(job.from), (at) => step(job, watched, at))
    })
  )

const ended = (report: JobReport): ScriptOutput => ({ _tag: "Ended", report })

/** What the shim does to a file when there is something to see. It makes others, and makes these, without news for the host. */
const news: Readonly<Record<string, string>> = { stdout: "change", stderr: "change", exit: "rename" }

const watchJob = Effect.fnUntraced(function* (directory: string): Effect.fn.Return<Watched, FileFailure, Scope.Scope> {
  const files = {
    stdout: yield* outputFile(join(directory, "stdout")),
    stderr: yield* outputFile(join(directory, "stderr")),
    order: yield* outputFile(join(directory, "order"))
  }
  const changes = yield* Queue.sliding<void>(1)
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        const watcher = watch(directory, { persistent: false }, (event, name) => {
          if (name !== null && news[name] === event) Queue.offerUnsafe(changes, undefined)
        })
        // Nothing is lost: without the watcher the sweep finds everything, only later.
        watcher.on("error", () => watcher.close())
        return watcher
      },
      catch: (cause) => new FileFailure({ code: "", cause })
    }).pipe(Effect.option),
    (watcher) => Effect.sync(() => Option.map(watcher, (each) => each.close()))
  )
  return { directory, files, changes }
})

interface Position {
  readonly offsets: OutputOffsets
  /** Whether the last wait was in vain, so that it is time to ask if the shim lives. True at first. */
  readonly sweep: boolean
  readonly unclaimedSweeps: number
}

const initially = (offsets: OutputOffsets): Position => ({ offsets, sweep: true, unclaimedSweeps: 0 })

/** Looks at the state first and at the output then: what was written before the end is reported before the end. */
const step = Effect.fnUntraced(function* (
  job: Observation,
  watched: Watched,
  at: Position
): Effect.fn.Return<readonly [ReadonlyArray<ScriptOutput>, Option.Option<Position>], FileFailure> {
  const { directory, files } = watched
  const state = yield* at.sweep ? stateOf(directory, job.bootId) : endOf(directory)
  const next = (output: OutputStream) => nextPiece(output, files[output], at.offsets[output] ?? 0)
  const written = yield* Effect.all([next("stdout"), next("stderr")], { concurrency: 2 })
  // It tells of what is written, so there is nothing new where nothing is.
  const order = written.some(Predicate.isNotUndefined) || state?._tag === "Ended" ? yield* next("order") : undefined
  const found = [...written, order].filter(Predicate.isNotUndefined)
  if (found.length > 0) return [found, Option.some({ ...at, offsets: advanced(at.offsets, found) })]

  const report = yield* reportOn(job, watched, state)
  if (report !== undefined) return [[ended(report)], Option.none()]
  if (state?._tag === "Prepared" && at.unclaimedSweeps > 0) yield* callForShim(job, at)
  const change = yield* Effect.timeoutOption(Queue.take(watched.changes), sweepMillis)
  const unclaimedSweeps = at.unclaimedSweeps + (state?._tag === "Prepared" ? 1 : 0)
  return [[], Option.some({ ...at, sweep: Option.isNone(change), unclaimedSweeps })]
})

const callForShim = Effect.fnUntraced(function* (job: Observation, { unclaimedSweeps }: Position) {
  if (unclaimedSweeps > maximumUnclaimedSweeps) {
    const complaints = (yield* readText(join(job.directory, "shim.log"))) ?? ""
    return yield* new FileFailure({ code: "", cause: new Error(`no shim claims the job: ${complaints.slice(-300)}`) })
  }
  yield* job.relaunch
})

type Piece = Extract<ScriptOutput, { readonly _tag: "Chunk" }>

const advanced = (offsets: OutputOffsets, pieces: ReadonlyArray<Piece>): OutputOffsets =>
  Object.assign({ ...offsets }, ...pieces.map(({ bytes, offset, output }) => ({ [output]: offset + bytes.length })))

const nextPiece = Effect.fnUntraced(function* (
  output: OutputStream,
  file: OutputFile,
  offset: number
): Effect.fn.Return<Piece | undefined, FileFailure> {
  const length = Math.min(pieceBytes, (yield* file.size) - offset)
  if (length <= 0) return undefined
  const bytes = yield* file.read(offset, length)
  return bytes.length === 0 ? undefined : { _tag: "Chunk", output, offset, bytes }
})

/** Undefined while the job goes on. */
const reportOn = Effect.fnUntraced(function* (job: Observation, { files }: Watched, state: JobState | undefined) {
  switch (state?._tag) {
    case "Ended":
      return reportOf(state.record, yield* lastWords(files.stderr, state.record.stderrKept))
    case "Lost":
      return yield* lostReport(files, state.detail)
    case "Absent":
      return yield* job.absent
    default:
      return undefined
  }
})

const lastWords = Effect.fnUntraced(function* (file: OutputFile, size: number) {
  const length = Math.min(size, lastWordsBytes)
  return length === 0 ? "" : new TextDecoder().decode(yield* file.read(size - length, length))
})

/** Of a lost job only what was kept is known. */
const lostReport = Effect.fnUntraced(function* (
  files: Watched["files"],
  detail: string
): Effect.fn.Return<JobReport, FileFailure> {
  const [stdout, stderr] = [yield* files.stdout.size, yield* files.stderr.size]
  return {
    end: { _tag: "Lost", detail },
    stdout: { writtenBytes: stdout, keptBytes: stdout },
    stderr: { writtenBytes: stderr, keptBytes: stderr }
  }
})
