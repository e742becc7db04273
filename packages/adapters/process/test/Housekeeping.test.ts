/** Jobs that several hosts see, one after the other, and what is cleared away in the end. */
import { readdir, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { JobEnd } from "@fairlead/core/runtime/Job"
import { contractJob, observeAll, readable } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { sweep } from "../src/internal/housekeeping.ts"
import { makeJobDirectories } from "../src/internal/jobDirectory.ts"
import { makeLauncher } from "../src/internal/launcher.ts"
import { eventually, leavePrepared, place, temporaryDirectory } from "./fixtures.ts"

const exited: JobEnd = { _tag: "Exited", exitCode: 0 }

describe("ProcessRuntime between hosts", () => {
  it.live("starts what a host had prepared when it died, when it is asked again", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, host } = yield* place({ languages: ["bash"] })
        const runtime = yield* host
        const spec = contractJob(runtime, "bash", ["echo once"])
        yield* leavePrepared(directory, spec)
        assert.deepStrictEqual(
          Option.map(yield* runtime.inspect(spec.jobId), ({ state }) => state),
          Option.some("prepared")
        )
        const seen = yield* observeAll(runtime, yield* runtime.start(spec))
        assert.deepStrictEqual(readable(seen), { stdout: "once\n", stderr: "", end: exited })
      })
    )
  )

  it.live("starts what a host had prepared when it died, when it is only observed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, host } = yield* place({ languages: ["bash"] })
        const runtime = yield* host
        const spec = contractJob(runtime, "bash", ["echo once"])
        yield* leavePrepared(directory, spec)
        const seen = yield* observeAll(runtime, { runtime: "process", jobId: spec.jobId, node: runtime.node })
        assert.deepStrictEqual(readable(seen), { stdout: "once\n", stderr: "", end: exited })
      })
    )
  )

  it.live("removes a prepared job, which then never runs", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, host } = yield* place({ languages: ["bash"] })
        const runtime = yield* host
        const spec = contractJob(runtime, "bash", ["echo never"])
        yield* leavePrepared(directory, spec)
        yield* runtime.remove({ runtime: "process", jobId: spec.jobId, node: runtime.node })
        assert.strictEqual((yield* Effect.flip(runtime.start(spec)))._tag, "JobRemoved")
        assert.deepStrictEqual(yield* Effect.promise(() => readdir(join(directory, "jobs"))), [])
        assert.deepStrictEqual(yield* Effect.promise(() => readdir(join(directory, "trash"))), [])
      })
    )
  )

  it.live("does not declare lost what another machine holds", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const runtime = yield* (yield* place({ languages: ["bash"] })).host
        const { jobId } = contractJob(runtime, "bash", [])
        const observed = Stream.runDrain(
          runtime.observe({ runtime: "process", jobId, node: "elsewhere" }, { stdout: 0, stderr: 0 })
        )
        assert.deepInclude(yield* Effect.flip(observed), { phase: "observe", retryable: true })
      })
    )
  )

  it.live("leaves nothing that no job has taken", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, host } = yield* place({ languages: ["bash"] })
        const building = Effect.promise(() => readdir(join(directory, "building")))
        yield* Effect.scoped(
          Effect.gen(function* () {
            const runtime = yield* host
            yield* observeAll(runtime, yield* runtime.start(contractJob(runtime, "bash", ["exit 0"])))
            const isReady = (names: ReadonlyArray<string>) => names.some((name) => name.startsWith("spare."))
            const [spare = ""] = yield* eventually(building, isReady)
            yield* eventually(
              Effect.promise(() => readdir(join(directory, "building", spare))),
              (files) => files.includes("shim")
            )
          })
        )
        assert.deepStrictEqual(yield* building, [])
      })
    )
  )

  it.effect("forgets removed ids after a day, not before", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const directories = yield* makeJobDirectories(directory)
      const launcher = yield* makeLauncher({ level: "basic", memoryGroups: undefined })
      yield* Effect.promise(() => writeFile(join(directories.removed, "gone"), ""))
      const remaining = Effect.promise(() => readdir(directories.removed))
      const { mtimeMs } = yield* Effect.promise(() => stat(join(directories.removed, "gone")))
      yield* TestClock.setTime(mtimeMs + 86_300_000)
      yield* sweep(directories, launcher)
      assert.deepStrictEqual(yield* remaining, ["gone"])
      yield* TestClock.setTime(mtimeMs + 86_500_000)
      yield* sweep(directories, launcher)
      assert.deepStrictEqual(yield* remaining, [])
    }).pipe(Effect.scoped)
  )

  it.live("removes folders that a script has closed to itself", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, host } = yield* place({ languages: ["bash"] })
        const runtime = yield* host
        const spec = contractJob(runtime, "bash", ["mkdir -p a/b && touch a/b/c && chmod 0 a/b a"])
        const handle = yield* runtime.start(spec)
        yield* observeAll(runtime, handle)
        yield* runtime.remove(handle)
        assert.deepStrictEqual(yield* Effect.promise(() => readdir(join(directory, "trash"))), [])
      })
    )
  )
})
