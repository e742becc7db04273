/** What a host finds on its machine, and what it may configure. */
import { execFile } from "node:child_process"
import { chmod, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { execPath, geteuid } from "node:process"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import type { JobEnd, JobHandle } from "@fairlead/core/runtime/Job"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { layer, make } from "@fairlead/process/ProcessRuntime"
import { contractJob, observeAll, readable, text, untilPrinted } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect, Layer, Option } from "effect"
import { eventually, ownUids, place, temporaryDirectory } from "./fixtures.ts"

const isRoot = geteuid?.() === 0
const exited: JobEnd = { _tag: "Exited", exitCode: 0 }

describe("ProcessRuntime languages", () => {
  // Scripts at level `namespace` do not see /tmp, so a checkout there has no Node that knows TypeScript for them.
  it.live.skipIf(execPath.startsWith("/tmp/"))("runs TypeScript, ES modules and CommonJS", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const runtime = yield* (yield* place()).host
        const programs = [
          ["typescript", "const words: ReadonlyArray<string> = ['typed']\nconsole.log(words.join())", "typed\n"],
          ["node", "import { sep } from 'node:path'\nconsole.log(sep)", "/\n"],
          ["node", "const { sep } = require('node:path')\nconsole.log(sep)", "/\n"]
        ] as const
        for (const [language, script, stdout] of programs) {
          const seen = yield* observeAll(runtime, yield* runtime.start(contractJob(runtime, language, [script])))
          assert.deepStrictEqual(readable(seen), { stdout, stderr: "", end: exited })
        }
      })
    )
  )

  it.live("offers real versions, and no language that is not wanted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const runtime = yield* (yield* place({ languages: ["bash", "node"] })).host
        assert.deepStrictEqual(runtime.languages.map(({ name }) => name).sort(), ["bash", "node"])
        for (const { versions } of runtime.languages)
          for (const version of versions) assert.match(version, /^\d+\.\d+\.\d+$/)
        const spec = { ...contractJob(runtime, "bash", []), args: ["a\0b"] }
        assert.deepInclude(yield* Effect.flip(runtime.start(spec)), { phase: "start", retryable: false })
      })
    )
  )
})

describe("ProcessRuntime.layer", () => {
  it.live("registers itself", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const found = yield* Effect.gen(function* () {
          return yield* (yield* ScriptRuntimes).find("process")
        }).pipe(
          Effect.provide(
            Layer.provideMerge(
              layer({ directory, languages: ["bash"], unsafeScriptsAsHostUser: true }),
              ScriptRuntimes.layer
            )
          )
        )
        assert.isTrue(Option.isSome(found))
      })
    )
  )

  it.live(
    "is the same node for every host on its directory, also for two that start at once, and another one elsewhere",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const here = yield* place({ languages: ["bash"] })
          const hosts = yield* Effect.all([here.host, here.host, here.host], { concurrency: 3 })
          const other = yield* (yield* place({ languages: ["bash"] })).host
          const later = yield* here.host
          const nodes = [...hosts, later].map(({ node }) => node)
          assert.strictEqual(new Set(nodes).size, 1)
          assert.match(nodes[0] ?? "", /^[A-Za-z0-9.-]+-[0-9a-f]{8}$/)
          assert.notStrictEqual(other.node, nodes[0])
        })
      )
  )

  it.live("refuses a directory that is not absolute", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const error = yield* Effect.flip(make({ directory: "data" }))
        assert.deepInclude(error, { _tag: "ProcessRuntimeUnavailable", reason: "options" })
      })
    )
  )

  it.live("refuses to run scripts as the host's user, who owns the directory, unless that is said", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const error = yield* Effect.flip(make({ directory, languages: [] }))
        assert.deepInclude(error, { _tag: "ProcessRuntimeUnavailable", reason: "user" })
        assert.include(error.message, "unsafeScriptsAsHostUser")
        const { isolation } = yield* make({ directory, languages: [], unsafeScriptsAsHostUser: true })
        assert.include(isolation, "unsafe")
      })
    )
  )

  it.live.skipIf(!isRoot)("refuses user ids that belong to somebody", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const refusal = (first: number, count: number) =>
          Effect.flip(make({ directory, languages: [], uids: { first, count } }))
        assert.deepInclude(yield* refusal(65_500, 100), { reason: "uids" })
        assert.include((yield* refusal(65_534, 1)).message, "65534 is the user nobody")
        assert.include((yield* refusal(65_535, 1)).message, "65535 stands for no user")
      })
    )
  )

  it.live.skipIf(!isRoot)("refuses a directory that the users of jobs cannot reach", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const closed = yield* temporaryDirectory
        yield* Effect.promise(() => chmod(closed, 0o700))
        const directory = join(closed, "data")
        const uids = { ...ownUids(2), count: 1 }
        const error = yield* Effect.flip(make({ directory, level: "basic", uids, languages: [] }))
        assert.deepInclude(error, { _tag: "ProcessRuntimeUnavailable", reason: "shim" })
        assert.include(error.message, `cannot pass through ${closed}`)
        assert.include((yield* make({ directory, level: "namespace", uids, languages: [] })).isolation, `${uids.first}`)
      })
    )
  )

  it.live.skipIf(!isRoot)("gives each job that runs at a time a user of its own, and lets more jobs wait", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first } = ownUids(3)
        const runtime = yield* (yield* place({ languages: ["bash"], uids: { first, count: 2 } })).host
        const start = Effect.suspend(() => runtime.start(contractJob(runtime, "bash", ["id -u; sleep 60"])))
        const handles = [yield* start, yield* start] as const
        const users = yield* Effect.forEach(handles, (handle) => firstNumber(runtime, handle))
        assert.sameMembers(users, [first, first + 1])
        const waiting = yield* start
        yield* runtime.stop(handles[1])
        const seen = yield* observeAll(runtime, handles[1])
        assert.deepStrictEqual(readable(seen).end, { _tag: "Stopped", forced: false })
        assert.strictEqual(yield* firstNumber(runtime, waiting), users[1])
        for (const handle of [handles[0], waiting]) yield* runtime.stop(handle)
        yield* Effect.forEach([handles[0], waiting], (handle) => observeAll(runtime, handle))
      })
    )
  )

  it.live.skipIf(!isRoot)(
    "keeps a reserve: of jobs that grow the largest ends, and nothing starts until there is room",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const directory = yield* disk("64m")
          const runtime = yield* make({
            directory,
            languages: ["bash"],
            uids: { ...ownUids(2), count: 4 },
            diskReserveBytes: 24 * mebibyte
          })
          const obstacle = runtime.obstacle ?? Effect.die("there is none")
          const begin = (script: ReadonlyArray<string>) => runtime.start(contractJob(runtime, "bash", script))
          const still = yield* begin(["head -c 12000000 /dev/zero > part; until [ -e /tmp/go ]; do sleep 0.1; done"])
          const growing = (bytes: number) => [`while :; do head -c ${bytes} /dev/zero >> part; sleep 0.02; done`]
          const small = yield* begin(growing(1_000))
          const large = yield* begin(growing(400_000))
          assert.isUndefined(yield* obstacle)
          const { report } = yield* observeAll(runtime, large)
          assert.deepInclude(report.end, { _tag: "LimitExceeded", limit: "disk_reserve", suspected: false })
          // What it wrote is gone with it.
          yield* eventually(obstacle, (found) => found === undefined)
          for (const job of [still, small]) assert.include(yield* states(runtime), `${job.jobId} running`)
          yield* Effect.promise(() => writeFile(join(directory, "of somebody else"), new Uint8Array(30 * mebibyte)))
          assert.strictEqual(yield* obstacle, "disk")
          assert.deepInclude(readable(yield* observeAll(runtime, small)).end, { limit: "disk_reserve" })
          yield* Effect.promise(() => rm(join(directory, "of somebody else")))
          assert.isUndefined(yield* obstacle)
          assert.include(yield* states(runtime), `${still.jobId} running`)
          yield* runtime.stop(still)
          yield* observeAll(runtime, still)
        })
      )
  )

  it.live.skipIf(!isRoot)("keeps names in reserve: of jobs that make ever more files the largest ends", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* disk("64m,nr_inodes=4000")
        const runtime = yield* make({ directory, uids: ownUids(2), diskReserveBytes: mebibyte })
        const script = ["import time", "for n in range(10_000): open(str(n), 'w'); time.sleep(0.001)"]
        const report = yield* observeAll(runtime, yield* runtime.start(contractJob(runtime, "python", script)))
        assert.deepInclude(readable(report).end, { _tag: "LimitExceeded", limit: "disk_reserve" })
        const obstacle = runtime.obstacle ?? Effect.undefined
        assert.isUndefined(yield* eventually(obstacle, (found) => found === undefined))
      })
    )
  )

  it.live.skipIf(!isRoot)("ends a job on a full disk", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* disk("512k")
        const runtime = yield* make({ directory, languages: ["bash"], uids: ownUids(2) })
        const spec = contractJob(runtime, "bash", ["echo start; yes; echo unreachable"], {
          outputBytes: 64 * 1024 ** 2
        })
        const { report, stdout } = yield* observeAll(runtime, yield* runtime.start(spec))
        assert.deepInclude(report.end, { _tag: "LimitExceeded", limit: "storage", suspected: false })
        assert.strictEqual(report.stdout.keptBytes, stdout.length)
      })
    )
  )
})

/** What a job prints first. */
const firstNumber = (runtime: ScriptRuntime, handle: JobHandle) =>
  Effect.map(untilPrinted(runtime, handle), (piece) =>
    Option.isSome(piece) && piece.value._tag === "Chunk" ? Number(text(piece.value.bytes)) : Number.NaN
  )

const program = promisify(execFile)

const mebibyte = 1024 ** 2

const states = (runtime: ScriptRuntime) =>
  Effect.map(runtime.list, (jobs) => jobs.map(({ handle, state }) => `${handle.jobId} ${state}`))

const disk = Effect.fnUntraced(function* (size: string) {
  const directory = yield* temporaryDirectory
  yield* Effect.acquireRelease(
    Effect.promise(() => program("mount", ["-t", "tmpfs", "-o", `size=${size}`, "small", directory])),
    () => Effect.promise(() => program("umount", ["--lazy", directory]))
  )
  return directory
})
