/** What keepers have of the process that starts them, and what they need of it: nothing. */
import { readdir, readFile, readlink } from "node:fs/promises"
import { join } from "node:path"
import { kill } from "node:process"
import { assert, describe, it } from "@effect/vitest"
import type { JobId } from "@fairlead/core/runtime/JobId"
import { contractJob, observeAll, readable, untilPrinted } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect, Schedule } from "effect"
import { levels, place } from "./fixtures.ts"

for (const [name, options] of levels)
  describe(`ProcessRuntime keepers: ${name}`, () => {
    it.live("have a session, a folder and open files of their own, and no environment", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, host } = yield* place({ ...options, languages: ["bash"] })
          const runtime = yield* host
          const spec = contractJob(runtime, "bash", ["echo up; sleep 60"])
          const handle = yield* runtime.start(spec)
          yield* untilPrinted(runtime, handle)
          const keeper = yield* keeperOf(directory, spec.jobId)
          const launcherFiles = yield* openFiles(keeper.parent)
          const files = yield* openFiles(keeper.pid)
          const job = join(directory, "jobs", spec.jobId)
          assert.deepStrictEqual(
            files.filter((file) => file.startsWith("pipe:") && launcherFiles.includes(file)),
            []
          )
          assert.deepStrictEqual(
            files.filter((file) => !/^(pipe|anon_inode):/.test(file) && !file.startsWith(directory)).sort(),
            ["/dev/null", "/dev/null"]
          )
          assert.strictEqual(keeper.session, keeper.pid)
          assert.strictEqual(yield* Effect.promise(() => readlink(`/proc/${keeper.pid}/cwd`)), job)
          const environment = yield* Effect.promise(() => readFile(`/proc/${keeper.parent}/environ`, "utf8"))
          assert.sameMembers(
            environment.split("\0").flatMap((variable) => variable.split("=")[0] || []),
            ["PATH", "LANG"]
          )
          yield* runtime.stop(handle)
          yield* observeAll(runtime, handle)
        })
      )
    )

    it.live("go on when the process is killed that started them, and the next job gets a new one", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, host } = yield* place({ ...options, languages: ["bash"] })
          const runtime = yield* host
          const first = contractJob(runtime, "bash", ["echo up; sleep 60"])
          const handle = yield* runtime.start(first)
          yield* untilPrinted(runtime, handle)
          const keeper = yield* keeperOf(directory, first.jobId)
          kill(keeper.parent, "SIGKILL")
          // The host may ask the old process before it hears of its end: then it is told to ask again.
          const second = yield* runtime
            .start(contractJob(runtime, "bash", ["exit 4"]))
            .pipe(Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 100 }))
          assert.deepStrictEqual(readable(yield* observeAll(runtime, second)).end, { _tag: "Exited", exitCode: 4 })
          assert.strictEqual((yield* keeperOf(directory, first.jobId)).pid, keeper.pid)
          yield* runtime.stop(handle)
          assert.deepStrictEqual(readable(yield* observeAll(runtime, handle)).end, { _tag: "Stopped", forced: false })
          yield* runtime.remove(second)
        })
      )
    )
  })

const keeperOf = (directory: string, jobId: JobId) =>
  Effect.promise(async () => {
    const pid = Number((await readlink(join(directory, "jobs", jobId, "claim"))).split(":")[0])
    const stat = await readFile(`/proc/${pid}/stat`, "utf8")
    const [, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { pid, parent: Number(parent), session: Number(session) }
  })

const openFiles = (pid: number) =>
  Effect.promise(async () => {
    const folder = `/proc/${pid}/fd`
    return Promise.all((await readdir(folder)).map((descriptor) => readlink(join(folder, descriptor))))
  })
