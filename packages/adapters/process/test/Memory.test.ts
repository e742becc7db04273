/** All memory that a job causes counts, of whatever kind it is. At every level, held by a memory group or by the shim that looks at it. */
import { geteuid } from "node:process"
import { assert, describe, it } from "@effect/vitest"
import type { ProcessRuntimeOptions } from "@fairlead/process/ProcessRuntime"
import { contractJob, observeAll, readable } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect } from "effect"
import { findMemoryGroups } from "../src/internal/memoryGroups.ts"
import { levels, marked, place } from "./fixtures.ts"

const mebibyte = 1024 ** 2
const limits = { memoryBytes: 128 * mebibyte, timeoutMillis: 20_000, fileSizeBytes: 1024 * mebibyte }

/** 256 MiB each, in 1 MiB pieces, so that the limit of the kernel on one allocation says nothing. */
const hoards = {
  "private memory": ["hoard = [bytearray(b'x' * M) for _ in range(256)]"],
  "memory that is shared with children": [
    "hoard = mmap.mmap(-1, 256 * M)",
    "if os.fork() == 0: fill(hoard)",
    "else: os.wait()"
  ],
  "a memfd that is mapped": [
    "file = os.memfd_create('hoard'); os.ftruncate(file, 256 * M)",
    "hoard = mmap.mmap(file, 256 * M); fill(hoard)"
  ],
  "a memfd that is only open": ["file = os.memfd_create('hoard')", "for _ in range(256): os.write(file, b'x' * M)"],
  // Which is full at the limit: the script goes on with what it has.
  "a file in /dev/shm": [
    "try:",
    "  with open(unique, 'wb') as file:",
    "    for _ in range(256): file.write(b'x' * M)",
    "except OSError: pass"
  ],
  "a removed file in /dev/shm": [
    "file = open(unique, 'wb'); os.unlink(unique)",
    "try:",
    "  for _ in range(256): file.write(b'x' * M)",
    "except OSError: pass"
  ],
  "a segment of System V": [
    "libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p",
    "segment = libc.shmget(0, 256 * M, 0o1600)",
    "address = libc.shmat(segment, None, 0)",
    "atexit.register(lambda: libc.shmctl(segment, 0, None))",
    "for at in range(256): ctypes.memset(address + at * M, 1, M)"
  ],
  "a file system in memory that it mounts": [
    "script = 'mount -t tmpfs hoard /mnt && head -c 268435456 /dev/zero > /mnt/hoard && sleep 60'",
    "sys.exit(subprocess.run(['unshare', '-rm', 'sh', '-c', script]).returncode)"
  ],
  "all kinds together": [
    "hoard = [bytearray(b'x' * M) for _ in range(50)]",
    "file = os.memfd_create('hoard')",
    "for _ in range(50): os.write(file, b'x' * M)",
    "if os.fork() == 0: more = [bytearray(b'x' * M) for _ in range(50)]; time.sleep(60)"
  ]
}

const allowed = {
  "pages of files, which the kernel takes back": [
    "file = open('large', 'wb')",
    "for _ in range(256): file.write(b'x' * M)",
    "file.flush(); os.fsync(file.fileno())"
  ],
  "shared memory once, however many map it": [
    "hoard = mmap.mmap(-1, 80 * M); fill(hoard)",
    "for _ in range(3):",
    "  if os.fork() == 0: touch(hoard); time.sleep(0.7); os._exit(0)",
    "for _ in range(3): os.wait()"
  ],
  "a memfd once that is open, mapped and inherited": [
    "file = os.memfd_create('hoard'); os.ftruncate(file, 80 * M)",
    "hoard = mmap.mmap(file, 80 * M); fill(hoard)",
    "if os.fork() == 0: touch(hoard); time.sleep(0.7); os._exit(0)",
    "os.wait()"
  ]
}

const preamble = [
  "import atexit, ctypes, mmap, os, subprocess, sys, time",
  "M = 1 << 20",
  "unique = f'/dev/shm/fairlead-{os.environ[\"MARK\"]}'",
  "def fill(hoard):",
  "  for _ in range(len(hoard) // M): hoard.write(b'x' * M)",
  "  hoard.seek(0)",
  "def touch(hoard): return sum(hoard[at] for at in range(0, len(hoard), 4096))"
]

const methods = (yes: string | undefined): ReadonlyArray<NonNullable<ProcessRuntimeOptions["memory"]>> =>
  yes === undefined ? ["sampled"] : ["cgroup", "sampled"]

for (const memory of methods(await Effect.runPromise(findMemoryGroups)))
  for (const [name, options] of levels)
    describe(`memory of jobs: ${memory}, ${name}`, () => {
      const run = Effect.fnUntraced(function* (body: ReadonlyArray<string>) {
        const runtime = yield* (yield* place({ ...options, memory, languages: ["python"] })).host
        assert.include(runtime.isolation, `memory: ${memory}`)
        const spec = marked(contractJob(runtime, "python", [...preamble, ...body], limits))
        const handle = yield* runtime.start(spec)
        return { ...readable(yield* observeAll(runtime, handle)) }
      })

      for (const [kind, body] of Object.entries(hoards)) {
        // Files and segments that nobody has open cannot be told from those of other programs of the same user.
        const isOutOfSight = memory === "sampled" && options.level === "basic" && geteuid?.() !== 0
        if (isOutOfSight && /in \/dev\/shm$|System V/.test(kind) && !kind.includes("removed")) continue
        // Within a user namespace that maps one user, the script can make no other one that would let it mount.
        if (geteuid?.() !== 0 && options.level === "namespace" && kind.includes("mounts")) continue
        it.live(`is limited in all: ${kind}`, () =>
          Effect.scoped(
            Effect.gen(function* () {
              const { end, stderr } = yield* run([...body, "time.sleep(60)"])
              assert.deepInclude(end, { _tag: "LimitExceeded", limit: "memory" }, stderr)
            })
          )
        )
      }

      for (const [kind, body] of Object.entries(allowed))
        it.live(`does not count ${kind}`, () =>
          Effect.scoped(
            Effect.gen(function* () {
              const { end, stderr } = yield* run(body)
              assert.deepStrictEqual(end, { _tag: "Exited", exitCode: 0 }, stderr)
            })
          )
        )
    })
