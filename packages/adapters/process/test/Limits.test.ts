/** What happens to scripts that want too much. Each runs at every level that this machine offers to this user. */
import { memoryUsage } from "node:process"
import { assert, describe, it } from "@effect/vitest"
import type { JobEnd, JobLimits } from "@fairlead/core/runtime/Job"
import { contractJob, observeAll, readable } from "@fairlead/testing/fixtures/JobFixtures"
import { Duration, Effect } from "effect"
import { levels, marked, place, processesOf } from "./fixtures.ts"

const mebibyte = 1024 ** 2

interface Case {
  readonly statement: string
  readonly language: "bash" | "python" | "node"
  readonly script: ReadonlyArray<string>
  readonly limits: Partial<JobLimits>
  readonly end: Partial<Extract<JobEnd, { _tag: "LimitExceeded" }>> | JobEnd
}

const cases: ReadonlyArray<Case> = [
  {
    statement: "stops memory that grows without end",
    language: "python",
    script: ["hoard = []", "while True: hoard.append(bytearray(1_000_000))"],
    limits: { memoryBytes: 128 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "memory" }
  },
  {
    statement: "stops memory that is spread over children",
    language: "python",
    script: [
      "import os, time",
      "for _ in range(4):",
      "  if os.fork() == 0: hoard = bytearray(60_000_000); time.sleep(60)",
      "time.sleep(60)"
    ],
    limits: { memoryBytes: 128 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "memory", suspected: false }
  },
  {
    statement: "does not count memory twice that forked children share",
    language: "python",
    script: [
      "import os, time",
      "hoard = bytearray(80_000_000)",
      "pids = [os.fork() for _ in range(2)]",
      "time.sleep(0.8)"
    ],
    limits: { memoryBytes: 160 * mebibyte },
    end: { _tag: "Exited", exitCode: 0 }
  },
  {
    statement: "refuses one huge allocation",
    language: "python",
    script: ["hoard = bytearray(10_000_000_000)"],
    limits: { memoryBytes: 128 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "memory", exitCode: 1, suspected: true }
  },
  {
    statement: "stops a Node heap that grows without end",
    language: "node",
    script: ["const hoard = []; while (true) hoard.push(Array.from({ length: 100_000 }, Math.random))"],
    limits: { memoryBytes: 128 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "memory" }
  },
  {
    statement: "knows what an interpreter complained of before it printed a long trace",
    language: "bash",
    script: ["echo 'heap out of memory' >&2", "head -c 4000 /dev/zero | tr '\\0' x >&2", "kill -ABRT $$"],
    limits: {},
    end: { _tag: "LimitExceeded", limit: "memory", suspected: true }
  },
  {
    statement: "leaves Node alone that stays within its memory",
    language: "node",
    script: ["console.log(Buffer.alloc(40_000_000).length)"],
    limits: { memoryBytes: 160 * mebibyte },
    end: { _tag: "Exited", exitCode: 0 }
  },
  {
    statement: "stops one process that burns CPU time",
    language: "python",
    script: ["while True: pass"],
    limits: { cpuMillis: 500 },
    end: { _tag: "LimitExceeded", limit: "cpu", suspected: false }
  },
  {
    statement: "stops CPU time that is spread over children",
    language: "bash",
    script: ["for each in 1 2 3; do (while :; do :; done) & done", "wait"],
    limits: { cpuMillis: 700 },
    end: { _tag: "LimitExceeded", limit: "cpu", suspected: false }
  },
  {
    statement: "refuses a file that is too large",
    language: "python",
    script: ["open('large', 'wb').write(bytes(3_000_000))"],
    limits: { fileSizeBytes: 2 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "file_size", suspected: false }
  },
  {
    statement: "stops files that fill the disk together, none of which is too large",
    language: "python",
    script: ["import time", "for n in range(40): open(f'part{n}', 'wb').write(bytes(1_000_000))", "time.sleep(60)"],
    limits: { diskBytes: 16 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "disk", suspected: false }
  },
  {
    statement: "counts files that have no name any more, and folders that are closed",
    language: "python",
    script: [
      "import os, time",
      "os.mkdir('closed'); open('closed/part', 'wb').write(bytes(9_000_000)); os.chmod('closed', 0)",
      "part = open('part', 'wb'); os.unlink('part'); part.write(bytes(9_000_000)); part.flush()",
      "time.sleep(60)"
    ],
    limits: { diskBytes: 16 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "disk", suspected: false }
  },
  {
    statement: "counts what a script leaves where everybody may write",
    language: "python",
    script: [
      "import os, tempfile, time",
      "folder = tempfile.mkdtemp(dir='/var/tmp')",
      "for n in range(20): open(f'{folder}/part{n}', 'wb').write(bytes(1_000_000))",
      "time.sleep(60)"
    ],
    limits: { diskBytes: 16 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "disk", suspected: false }
  },
  {
    statement: "leaves alone what stays within its disk, though it writes more in all",
    language: "python",
    script: ["import time", "for n in range(12): open('part', 'wb').write(bytes(4_000_000)); time.sleep(0.05)"],
    limits: { diskBytes: 16 * mebibyte },
    end: { _tag: "Exited", exitCode: 0 }
  },
  {
    statement: "ends a program that does not handle a file that is too large",
    language: "bash",
    script: ["exec head -c 3000000 /dev/zero > large"],
    limits: { fileSizeBytes: 2 * mebibyte },
    end: { _tag: "LimitExceeded", limit: "file_size", suspected: false }
  },
  {
    statement: "names the open files of a script that was seen with all that it may have",
    language: "python",
    script: [
      "import time",
      "files = []",
      "try:",
      "  while True: files.append(open('/dev/null'))",
      "except OSError:",
      "  time.sleep(1.5); raise"
    ],
    limits: { openFiles: 32 },
    end: { _tag: "LimitExceeded", limit: "open_files", suspected: false }
  },
  {
    statement: "names the processes of a script that was seen with all that it may have",
    language: "python",
    script: [
      "import subprocess, time",
      "while True:",
      "  try: subprocess.Popen(['sleep', '60'])",
      "  except OSError:",
      "    time.sleep(1.5); raise"
    ],
    limits: { processes: 12 },
    end: { _tag: "LimitExceeded", limit: "processes", suspected: false }
  },
  {
    statement: "only suspects a limit of which a script speaks that was nowhere near it",
    language: "bash",
    script: ["echo 'Too many open files' >&2; exit 1"],
    limits: {},
    end: { _tag: "LimitExceeded", limit: "open_files", suspected: true }
  },
  {
    statement: "refuses too many open files",
    language: "python",
    script: ["files = [open('/dev/null') for _ in range(100)]"],
    limits: { openFiles: 32 },
    end: { _tag: "LimitExceeded", limit: "open_files", suspected: true }
  }
]

for (const [name, options] of levels)
  describe(`ProcessRuntime limits: ${name}`, () => {
    for (const { end, language, limits, script, statement } of cases)
      it.live(statement, () =>
        Effect.scoped(
          Effect.gen(function* () {
            const runtime = yield* (yield* place({ ...options, languages: [language] })).host
            const spec = contractJob(runtime, language, script, { timeoutMillis: 10_000, ...limits })
            const seen = readable(yield* observeAll(runtime, yield* runtime.start(spec)))
            assert.deepInclude(seen.end, end, seen.stderr)
          })
        )
      )

    it.live("ends a fork bomb with all its children", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* (yield* place(options)).host
          const bomb = "bomb() { bomb & bomb & wait; }; sleep 0.01; bomb"
          const spec = marked(contractJob(runtime, "bash", [bomb], { processes: 48, timeoutMillis: 2_000 }))
          const handle = yield* runtime.start(spec)
          const [duration, { end }] = yield* Effect.timed(Effect.map(observeAll(runtime, handle), readable))
          assert.include(["TimedOut", "LimitExceeded"], end._tag)
          assert.isBelow(Duration.toMillis(duration), 10_000)
          assert.deepStrictEqual(yield* processesOf(spec), [])
        })
      )
    )

    it.live("reads 32 MiB at once, and what comes after that at the rate that is set", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* (yield* place({ ...options, outputRateBytes: 1 })).host
          const written = Effect.fnUntraced(function* (mebibytes: number) {
            const limits = { outputBytes: mebibyte, timeoutMillis: 2_000 }
            const script = [`head -c ${mebibytes * mebibyte} /dev/zero`]
            const handle = yield* runtime.start(contractJob(runtime, "bash", script, limits))
            const { report } = yield* observeAll(runtime, handle)
            return [report.end._tag, Math.round(report.stdout.writtenBytes / mebibyte)]
          })
          assert.deepStrictEqual(yield* written(31), ["Exited", 31])
          assert.deepStrictEqual(yield* written(64), ["TimedOut", 32])
        })
      )
    )

    it.live(
      "drains a gigabyte of output in constant memory",
      () =>
        Effect.scoped(
          Effect.gen(function* () {
            const runtime = yield* (yield* place({ ...options, outputRateBytes: 1024 * mebibyte })).host
            const script = ["head -c 1073741824 /dev/zero"]
            const limits = { outputBytes: mebibyte, timeoutMillis: 110_000 }
            const handle = yield* runtime.start(contractJob(runtime, "bash", script, limits))
            const before = memoryUsage.rss()
            const { report, stdout } = yield* observeAll(runtime, handle)
            assert.isBelow(memoryUsage.rss() - before, 64 * mebibyte)
            assert.deepStrictEqual(report.end, { _tag: "Exited", exitCode: 0 })
            assert.deepStrictEqual(report.stdout, {
              writtenBytes: 1_073_741_824,
              keptBytes: mebibyte,
              tailBytes: 65_536
            })
            assert.strictEqual(stdout.length, mebibyte)
          })
        ),
      120_000
    )
  })
