/** What the contract does not know of: shims, users, environments. */
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { kill } from "node:process"
import { assert, describe, it } from "@effect/vitest"
import type { JobEnd } from "@fairlead/core/runtime/Job"
import { contractJob, observeAll, readable, untilPrinted } from "@fairlead/testing/fixtures/JobFixtures"
import { Clock, Duration, Effect, Redacted } from "effect"
import { eventually, leavePrepared, levels, marked, place, processesOf } from "./fixtures.ts"

const exited: JobEnd = { _tag: "Exited", exitCode: 0 }

for (const [name, options] of levels)
  describe(`ProcessRuntime processes: ${name}`, () => {
    const daemons = [
      "sleep 300 & (setsid sleep 301 &) ; (setsid bash -c 'sleep 302 & sleep 303' > /dev/null 2>&1 < /dev/null &)",
      "trap '' HUP; nohup sleep 304 > /dev/null 2>&1 &",
      "echo ready"
    ]

    it.live("leaves nothing behind when a script ends that has started daemons", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* (yield* place({ ...options, languages: ["bash"] })).host
          const spec = marked(contractJob(runtime, "bash", daemons))
          const [duration, seen] = yield* Effect.timed(
            Effect.flatMap(runtime.start(spec), (handle) => observeAll(runtime, handle))
          )
          assert.deepStrictEqual(readable(seen), { stdout: "ready\n", stderr: "", end: exited })
          assert.isBelow(Duration.toMillis(duration), 10_000)
          assert.deepStrictEqual(yield* processesOf(spec), [])
        })
      )
    )

    it.live("leaves nothing behind when a script is stopped that has started daemons", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* (yield* place({ ...options, languages: ["bash"] })).host
          const spec = marked(contractJob(runtime, "bash", [...daemons, "while :; do :; done"]))
          const handle = yield* runtime.start(spec)
          yield* untilPrinted(runtime, handle)
          yield* eventually(processesOf(spec), (pids) => pids.length >= 5)
          yield* runtime.stop(handle)
          const [duration, { end }] = yield* Effect.timed(Effect.map(observeAll(runtime, handle), readable))
          assert.deepStrictEqual(end, { _tag: "Stopped", forced: false })
          assert.isBelow(Duration.toMillis(duration), 10_000)
          assert.deepStrictEqual(yield* processesOf(spec), [])
        })
      )
    )

    it.live("waits, if it is to, for daemons that hold none of the script's streams", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* (yield* place({ ...options, languages: ["bash"] })).host
          const daemon = "(setsid bash -c '(sleep 0.6 &) ; sleep 0.1' > /dev/null 2>&1 < /dev/null &)"
          const spec = { ...marked(contractJob(runtime, "bash", [daemon, "exit 4"])), waitForBackground: true }
          const { report } = yield* observeAll(runtime, yield* runtime.start(spec))
          assert.deepStrictEqual(report.end, { _tag: "Exited", exitCode: 4 })
          assert.isAtLeast(report.usage?.executionTimeWallSeconds ?? 0, 0.599)
          assert.deepStrictEqual(yield* processesOf(spec), [])
        })
      )
    )

    it.live("gives what it waits for the grace of a script, and kills what ignores being asked", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* (yield* place({ ...options, languages: ["bash"] })).host
          const left = {
            polite: "bash -c 'trap \"echo bye; exit\" TERM; echo ready; while :; do sleep 0.05; done' &",
            stubborn: "bash -c 'trap \"\" TERM; echo ready; while :; do sleep 60; done' &"
          }
          for (const [script, stdout, forced] of [
            [left.polite, "ready\nbye\n", false],
            [left.stubborn, "ready\n", true]
          ] as const) {
            const spec = { ...marked(contractJob(runtime, "bash", [script])), waitForBackground: true }
            const handle = yield* runtime.start(spec)
            yield* untilPrinted(runtime, handle)
            yield* runtime.stop(handle)
            const seen = readable(yield* observeAll(runtime, handle))
            assert.deepInclude(seen, { stdout, end: { _tag: "Stopped", forced } })
            assert.deepStrictEqual(yield* processesOf(spec), [])
          }
        })
      )
    )

    it.live("gives a script nothing of the host's environment, and a home of its own", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* (yield* place({ ...options, languages: ["python"] })).host
          const script = [
            "import os, json, tempfile",
            "open('kept', 'w').close(); tempfile.NamedTemporaryFile().close()",
            "same = os.path.realpath(os.environ['HOME']) == os.getcwd() and tempfile.gettempdir() == os.environ['TMPDIR']",
            "print(json.dumps([sorted(os.environ), same, os.geteuid()]))"
          ]
          const seen = yield* observeAll(runtime, yield* runtime.start(contractJob(runtime, "python", script)))
          assert.deepStrictEqual(readable(seen).end, exited, readable(seen).stderr)
          const [names, same, uid] = JSON.parse(readable(seen).stdout)
          assert.deepStrictEqual(names, ["HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "USER"])
          assert.isTrue(same)
          if (options.uids !== undefined) assert.strictEqual(uid, options.uids.first)
        })
      )
    )

    it.live("keeps the environment of a job from other users", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, host } = yield* place({ ...options, languages: ["bash"] })
          const runtime = yield* host
          const secret = "correct-horse-battery-staple"
          const env = Redacted.make({ TOKEN: secret })
          const spec = { ...contractJob(runtime, "bash", ["echo up; sleep 60"]), env }
          const handle = yield* runtime.start(spec)
          yield* untilPrinted(runtime, handle)
          assert.notInclude(yield* everyCommandLine, secret)
          for (const path of yield* filesBelow(directory)) {
            const { mode, uid } = yield* Effect.promise(() => stat(path))
            assert.notInclude(yield* Effect.promise(() => readFile(path, "latin1")), secret, path)
            // Accounts are for everybody, as those of the machine are.
            if (path === join(directory, "passwd") || path === join(directory, "group")) continue
            assert.strictEqual(mode & 0o077, 0, `${path} of user ${uid} is closed to others`)
          }
          yield* runtime.stop(handle)
          yield* observeAll(runtime, handle)
        })
      )
    )

    it.live("reports a job as lost whose shim is killed, and never runs it again", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, host } = yield* place({ ...options, languages: ["bash"] })
          const runtime = yield* host
          const spec = marked(contractJob(runtime, "bash", ["echo before", "exec sleep 300"]))
          const handle = yield* runtime.start(spec)
          yield* untilPrinted(runtime, handle)
          const claim = yield* Effect.promise(() => readlink(join(directory, "jobs", spec.jobId, "claim")))
          kill(Number(claim.split(":")[0]), "SIGKILL")
          const [duration, seen] = yield* Effect.timed(observeAll(runtime, handle))
          assert.deepInclude(readable(seen), {
            stdout: "before\n",
            end: { _tag: "Lost", detail: "its shim was killed" }
          })
          assert.isBelow(Duration.toMillis(duration), 10_000)
          yield* eventually(processesOf(spec), (pids) => pids.length === 0)
          assert.deepStrictEqual(yield* runtime.start(spec), handle)
          assert.deepStrictEqual(yield* runtime.list, [{ handle, state: "lost" }])
          yield* runtime.remove(handle)
        })
      )
    )

    it.live("begins nothing when it was frozen on the way: the next start does", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* (yield* place({ ...options, languages: ["bash"] })).host
          const spec = contractJob(runtime, "bash", ["echo up"])
          const clock = yield* Clock.Clock
          let looks = 0
          const thawed: typeof clock = Object.assign(Object.create(clock), {
            currentTimeMillis: Effect.sync(() => looks++ * 6_000)
          })
          const error = yield* Effect.flip(Effect.provideService(runtime.start(spec), Clock.Clock, thawed))
          assert.deepInclude(error, { phase: "start", retryable: true })
          assert.strictEqual((yield* runtime.list)[0]?.state, "prepared")
          const seen = yield* observeAll(runtime, yield* runtime.start(spec))
          assert.strictEqual(readable(seen).stdout, "up\n")
        })
      )
    )

    it.live("stops a job before it has begun", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, host } = yield* place({ ...options, languages: ["bash"] })
          const [runtime, other] = [yield* host, yield* host]
          const spec = contractJob(runtime, "bash", ["echo never"])
          yield* leavePrepared(directory, spec, options)
          const handle = { runtime: "process", jobId: spec.jobId, node: other.node } as const
          yield* other.stop(handle)
          const seen = yield* observeAll(other, yield* runtime.start(spec))
          assert.deepStrictEqual(readable(seen), { stdout: "", stderr: "", end: { _tag: "Stopped", forced: false } })
        })
      )
    )
  })

describe("ProcessRuntime at level namespace", () => {
  it.live("shows a script only itself, and nothing of the host's data", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const hidden = yield* closedDirectory
        const { directory, host } = yield* place({ level: "namespace", languages: ["python"], hidden: [hidden] })
        const script = [
          "import os, signal",
          "print(sorted(os.listdir('/tmp')), os.listdir('.'), sorted(int(pid) for pid in os.listdir('/proc') if pid.isdigit()) == [1, os.getpid()])",
          "def attempt(action):",
          "  try: action(); return 'done'",
          "  except OSError as error: return type(error).__name__",
          `print(os.path.exists('${directory}'), os.listdir('${hidden}'))`,
          "print(attempt(lambda: os.listdir('/proc/1/cwd')), attempt(lambda: os.listdir('/proc/1/root')))",
          "try: os.kill(1, signal.SIGKILL)",
          "except PermissionError: pass",
          `print(os.system('umount /proc ${hidden} 2> /dev/null') != 0)`,
          "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(('CapEff', 'NoNewPrivs'))])"
        ]
        const runtime = yield* host
        const seen = yield* observeAll(runtime, yield* runtime.start(contractJob(runtime, "python", script)))
        assert.deepStrictEqual(readable(seen).stdout.split("\n"), [
          "['package.json', 'work'] ['script.py'] True",
          "False []",
          "PermissionError PermissionError",
          "True",
          "['0000000000000000', '1']",
          ""
        ])
        assert.deepStrictEqual(readable(seen).end, exited, readable(seen).stderr)
      })
    )
  )
})

describe("ProcessRuntime with shared directories", () => {
  it.live("lets scripts leave there what stays, and nowhere beside", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [shared, beside] = [yield* closedDirectory, yield* closedDirectory]
        const { host } = yield* place({ level: "namespace", languages: ["bash"], shared: [shared] })
        const runtime = yield* host
        const script = [`echo kept >${shared}/new`, `echo lost >${beside}/new || echo refused`]
        const seen = readable(yield* observeAll(runtime, yield* runtime.start(contractJob(runtime, "bash", script))))
        assert.strictEqual(seen.stdout, "refused\n", seen.stderr)
        assert.strictEqual(yield* Effect.promise(() => readFile(join(shared, "new"), "utf8")), "kept\n")
      })
    )
  )

  it.live("is not there when one of them is missing, and says which", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { host } = yield* place({ languages: ["bash"], shared: ["/no/such/directory"] })
        const refusal = yield* Effect.flip(host)
        assert.strictEqual(refusal.reason, "options")
        assert.include(refusal.detail, "/no/such/directory")
      })
    )
  )
})

/** Not below /tmp or /var/tmp, which scripts do not see anyway, and not empty. */
const closedDirectory = Effect.acquireRelease(
  Effect.promise(async () => {
    const path = await mkdtemp(join(homedir(), ".process-runtime-"))
    await writeFile(join(path, "secret"), "")
    return path
  }),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const everyCommandLine = Effect.promise(async () => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")))
  return lines.join("\n")
})

const filesBelow = (directory: string) =>
  Effect.promise(async () => {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  })
