/** What shims have of the process that starts them, and what they need of it: nothing. */
import { access, readdir, readFile, readlink } from "node:fs/promises"
import { join } from "node:path"
import { kill } from "node:process"
import { assert, describe, it } from "@effect/vitest"
import type { JobId } from "@fairlead/core/runtime/JobId"
import { contractJob, observeAll, readable, untilPrinted } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect, Schedule } from "effect"
import { makeJobDirectories } from "../src/internal/jobDirectory.ts"
import { makeLauncher } from "../src/internal/launcher.ts"
import { eventually, leavePrepared, levels, place } from "./fixtures.ts"

for (const [name, options] of levels)
  describe(`ProcessRuntime shims: ${name}`, () => {
    it.live("have a session, a folder and open files of their own, and no environment", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, host } = yield* place({ ...options, languages: ["bash"] })
          const runtime = yield* host
          const spec = contractJob(runtime, "bash", ["echo up; sleep 60"])
          const handle = yield* runtime.start(spec)
          yield* untilPrinted(runtime, handle)
          const shim = yield* shimOf(directory, spec.jobId)
          const launcherFiles = yield* openFiles(shim.parent)
          const files = yield* openFiles(shim.pid)
          const job = join(directory, "jobs", spec.jobId)
          assert.deepStrictEqual(
            files.filter((file) => file.startsWith("pipe:") && launcherFiles.includes(file)),
            []
          )
          // It reads files of /proc now and then, and closes them.
          yield* eventually(
            Effect.map(openFiles(shim.pid), (open) =>
              open.filter((file) => !/^(pipe|anon_inode):/.test(file) && !file.startsWith(directory)).join()
            ),
            (others) => others === "/dev/null,/dev/null"
          )
          assert.strictEqual(shim.session, shim.pid)
          assert.strictEqual(yield* Effect.promise(() => readlink(`/proc/${shim.pid}/cwd`)), job)
          const environment = yield* Effect.promise(() => readFile(`/proc/${shim.parent}/environ`, "utf8"))
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
          const shim = yield* shimOf(directory, first.jobId)
          kill(shim.parent, "SIGKILL")
          // The host may ask the old process before it hears of its end: then it is told to ask again.
          const second = yield* runtime
            .start(contractJob(runtime, "bash", ["exit 4"]))
            .pipe(Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 100 }))
          assert.deepStrictEqual(readable(yield* observeAll(runtime, second)).end, { _tag: "Exited", exitCode: 4 })
          assert.strictEqual((yield* shimOf(directory, first.jobId)).pid, shim.pid)
          yield* runtime.stop(handle)
          assert.deepStrictEqual(readable(yield* observeAll(runtime, handle)).end, { _tag: "Stopped", forced: false })
          yield* runtime.remove(second)
        })
      )
    )
  })

for (const [name, options] of levels)
  describe(`A shim that waits: ${name}`, () => {
    const level = options.level ?? "namespace"
    /** A host, and the directory in which its shim waits. */
    const waiting = Effect.gen(function* () {
      const { directory, host } = yield* place({ ...options, languages: ["bash"] })
      const [runtime, directories, launcher] = [
        yield* host,
        yield* makeJobDirectories(directory),
        yield* makeLauncher({ level, memoryGroups: undefined })
      ]
      const spare = join(directories.building, "spare")
      yield* launcher.prepare(spare)
      return { directory, runtime, launcher, spare, claim: yield* target(spare, "shim") }
    })
    /** Starts a job in the spare directory; gives what was seen of it, and its claim. */
    const run = Effect.fnUntraced(function* (
      { directory, launcher, runtime, spare }: Effect.Success<typeof waiting>,
      script: string
    ) {
      const spec = contractJob(runtime, "bash", [script])
      yield* leavePrepared(directory, spec, options, spare)
      const job = join(directory, "jobs", spec.jobId)
      yield* launcher.keep(job)
      const seen = yield* observeAll(runtime, { runtime: "process", jobId: spec.jobId, node: runtime.node })
      return { seen: readable(seen), claim: yield* target(job, "claim") }
    })

    it.live("takes the job of the directory that it waits in", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const machine = yield* waiting
          const { claim, seen } = yield* run(machine, "pwd; ls -a; echo $(basename $0) >&2; exit 3")
          assert.strictEqual(claim, machine.claim)
          assert.match(seen.stdout, /\/tmp\/work\n\.\n\.\.\nscript\.sh\n$/)
          assert.deepInclude(seen, { stderr: "script.sh\n", end: { _tag: "Exited", exitCode: 3 } })
        })
      )
    )

    it.live("is replaced by another one when it was killed", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const machine = yield* waiting
          kill(pidOf(machine.claim), "SIGKILL")
          yield* eventually(isAlive(machine.claim), (alive) => !alive)
          const { claim, seen } = yield* run(machine, "ls; exit 4")
          assert.notStrictEqual(claim, machine.claim)
          assert.deepStrictEqual(seen, { stdout: "script.sh\n", stderr: "", end: { _tag: "Exited", exitCode: 4 } })
        })
      )
    )

    it.live("ends when another one waits, and with its launcher", () =>
      Effect.gen(function* () {
        const last = yield* Effect.scoped(
          Effect.gen(function* () {
            const { claim, launcher, spare } = yield* waiting
            yield* launcher.prepare(`${spare}.2`)
            yield* eventually(isAlive(claim), (alive) => !alive)
            const next = yield* target(`${spare}.2`, "shim")
            assert.isTrue(yield* isAlive(next))
            return next
          })
        )
        yield* eventually(isAlive(last), (alive) => !alive)
      })
    )
  })

const target = (directory: string, name: string) => Effect.promise(() => readlink(join(directory, name)))

const pidOf = (claim: string) => Number(claim.split(":")[0])

const isAlive = (claim: string) =>
  Effect.promise(() =>
    access(`/proc/${pidOf(claim)}`).then(
      () => true,
      () => false
    )
  )

const shimOf = (directory: string, jobId: JobId) =>
  Effect.promise(async () => {
    const pid = Number((await readlink(join(directory, "jobs", jobId, "claim"))).split(":")[0])
    const stat = await readFile(`/proc/${pid}/stat`, "utf8")
    const [, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { pid, parent: Number(parent), session: Number(session) }
  })

const openFiles = (pid: number) =>
  Effect.promise(async () => {
    const folder = `/proc/${pid}/fd`
    // One that was closed meanwhile is none.
    const links = (await readdir(folder)).map((descriptor) => readlink(join(folder, descriptor)).catch(() => []))
    return (await Promise.all(links)).flat()
  })
