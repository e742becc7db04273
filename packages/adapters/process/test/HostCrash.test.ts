/** Jobs outlive their host: real host processes, really killed. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { execPath } from "node:process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { make } from "@fairlead/process/ProcessRuntime"
import { observeAll, readable, untilPrinted } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect } from "effect"
import { crashJob, exitCodeOf, goFile, startsFile } from "./crashJob.ts"
import { eventually } from "./fixtures.ts"

const jobs = Array.from({ length: 20 }, (_, at) => at)
const hostProgram = fileURLToPath(new URL("host.ts", import.meta.url))

/** Shared with jobs, because these leave marks for the test. Not below /tmp or /var/tmp, where jobs have a folder of their own. */
const sharedDirectory = Effect.acquireRelease(
  Effect.promise(async () => {
    const path = await mkdtemp(join(homedir(), ".process-runtime-"))
    await mkdir(`${path}/data`)
    return `${path}/data`
  }),
  (path) => Effect.promise(() => rm(dirname(path), { recursive: true, force: true }))
)

const host = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(execPath, [hostProgram, directory, String(jobs.length)], { stdio: ["ignore", "pipe", "inherit"] })
    ),
    kill
  )

const kill = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

const started = (child: ReturnType<typeof spawn>) =>
  Effect.callback<void, Error>((resume) => {
    let printed = ""
    child.stdout?.on("data", (bytes) => {
      printed += String(bytes)
      if (printed.includes("started\n")) resume(Effect.void)
    })
    child.once("exit", () => resume(Effect.die(`the host ended: ${printed}`)))
  })

const untilPrepared = (directory: string, count: number) =>
  eventually(
    Effect.promise(() => readdir(`${directory}/jobs`).catch(() => [])),
    (names) => names.length >= count
  )

/** A new host asks for all jobs again, lets them end, and checks that nothing happened twice, or not at all. */
const adoptAll = Effect.fnUntraced(function* (directory: string) {
  const runtime = yield* make({
    directory,
    languages: ["bash"],
    shared: [dirname(directory)],
    unsafeScriptsAsHostUser: true
  })
  const handles = yield* Effect.forEach(jobs, (at) => runtime.start(crashJob(runtime, directory, at)))
  yield* Effect.forEach(handles, (handle) => untilPrinted(runtime, handle), { concurrency: 20 })
  yield* Effect.promise(() => writeFile(goFile(directory), ""))
  const seen = yield* Effect.forEach(handles, (handle) => observeAll(runtime, handle), { concurrency: 20 })
  for (const at of jobs) {
    const observed = seen[at]
    if (observed === undefined) return assert.fail(`job ${at} was not observed`)
    assert.deepStrictEqual(readable(observed), {
      stdout: `before ${at}\nafter ${at}\n`,
      stderr: "",
      end: { _tag: "Exited", exitCode: exitCodeOf(at) }
    })
    assert.isAbove(observed.report.usage?.peakMemoryKb ?? 0, 0)
  }
  const starts = (yield* Effect.promise(() => readFile(startsFile(directory), "utf8"))).trim().split("\n").map(Number)
  assert.deepStrictEqual(
    starts.sort((a, b) => a - b),
    jobs
  )
})

describe("ProcessRuntime when its host is killed", () => {
  it.live("20 running jobs go on, and the next host finds them", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* sharedDirectory
        const child = yield* host(directory)
        yield* started(child)
        yield* kill(child)
        yield* adoptAll(directory)
      })
    )
  )

  it.live.each([1, 5, 12])("between starts (try %i): each job still starts exactly once", (files) =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* sharedDirectory
        const child = yield* host(directory)
        yield* untilPrepared(directory, files)
        yield* kill(child)
        yield* adoptAll(directory)
      })
    )
  )

  it.live("two hosts that start the same 20 jobs at once start each of them once", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* sharedDirectory
        const children = [yield* host(directory), yield* host(directory)]
        yield* Effect.forEach(children, started, { concurrency: 2 })
        yield* adoptAll(directory)
      })
    )
  )
})
