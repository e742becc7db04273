/** Where memory groups of jobs may be, and what becomes of those whose shim was killed. Version 2 against a directory that is laid out like it. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { contractJob, observeAll, untilPrinted } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect } from "effect"
import { readTarget, readText, run } from "../src/internal/files.ts"
import { sweepMemoryGroups } from "../src/internal/housekeeping.ts"
import { candidateOf, findMemoryGroups, usable } from "../src/internal/memoryGroups.ts"
import { eventually, levels, marked, place, processesOf, temporaryDirectory } from "./fixtures.ts"

const first = "31 24 0:27 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory"
const second = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"

describe("the control group for memory groups of jobs", () => {
  it("is the host's own in version 1, as far as the mount shows it", () => {
    assert.deepStrictEqual(candidateOf("4:memory:/app\n0::/x", first), {
      version: 1,
      path: "/sys/fs/cgroup/memory/app"
    })
    assert.deepStrictEqual(candidateOf("4:memory:/", first), { version: 1, path: "/sys/fs/cgroup/memory" })
    const within = first.replace(" / /sys", " /docker/a1 /sys")
    assert.deepStrictEqual(candidateOf("4:memory:/docker/a1", within), { version: 1, path: "/sys/fs/cgroup/memory" })
    assert.isUndefined(candidateOf("4:memory:/docker/b2", within))
  })

  it("is that of the service in version 2, when the host has a group of its own in it", () => {
    const service = "/system.slice/fairlead.service"
    assert.deepStrictEqual(candidateOf(`0::${service}/host`, second), { version: 2, path: `/sys/fs/cgroup${service}` })
  })

  it("is none that belongs to others: of a slice, or of the machine", () => {
    for (const group of ["/", "/host", "/system.slice/fairlead.service", "/user.slice"])
      assert.isUndefined(candidateOf(`0::${group}`, second), group)
    assert.isUndefined(candidateOf("", second))
    assert.isUndefined(candidateOf("0::/a.service/host", ""))
  })

  it.effect("passes the memory controller on in version 2, and is none where groups have no limit of memory", () =>
    Effect.gen(function* () {
      const path = yield* temporaryDirectory
      const passedOn = join(path, "cgroup.subtree_control")
      yield* Effect.promise(() => writeFile(passedOn, "cpu pids\n"))
      yield* Effect.flip(usable({ version: 2, path }))
      assert.strictEqual(yield* Effect.promise(() => readFile(passedOn, "utf8")), "+memory")
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(path)), ["cgroup.subtree_control"])
    }).pipe(Effect.scoped)
  )

  it.effect("limits a group of version 2, swap too, and reads from it if it was exceeded, and its peak", () =>
    Effect.gen(function* () {
      const path = yield* temporaryDirectory
      const shim = [
        "use MemoryGroup; MemoryGroup::create($ARGV[0], '7:8'); chdir \"$ARGV[0]/fairlead-7-8\";",
        "sub put { open my $file, '>', $_[0]; print $file $_[1] }",
        "put($_, '') for qw(memory.max memory.swap.max memory.oom.group cgroup.procs);",
        "put('memory.peak', 4096); put('memory.events', \"oom 1\\noom_kill 0\\n\");",
        "print MemoryGroup::limit(1000), MemoryGroup::enter(), MemoryGroup::was_exceeded() ? 1 : 0, MemoryGroup::peak_kb();",
        "put('memory.events', \"oom 1\\noom_kill 2\\n\"); print MemoryGroup::was_exceeded();"
      ]
      const library = fileURLToPath(new URL("../shim", import.meta.url))
      const output = yield* run("perl", ["-I", library, "-e", shim.join(" "), path], { timeoutMillis: 10_000 })
      assert.strictEqual(output, "11041")
      const text = (name: string) => Effect.promise(() => readFile(join(path, "fairlead-7-8", name), "utf8"))
      assert.deepStrictEqual(
        yield* Effect.all(["memory.max", "memory.swap.max", "memory.oom.group", "cgroup.procs"].map(text)),
        ["1000", "0", "1", "0"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("keeps the groups of shims that live", () =>
    Effect.gen(function* () {
      const path = yield* temporaryDirectory
      const own = (yield* readText("/proc/self/stat")) ?? ""
      const startTime = own.slice(own.lastIndexOf(")") + 2).split(" ")[19]
      const alive = `fairlead-${process.pid}-${startTime}`
      for (const name of [alive, `fairlead-${process.pid}-1`, "of-somebody-else"])
        yield* Effect.promise(() => mkdir(join(path, name)))
      yield* sweepMemoryGroups(path, (yield* readText("/proc/sys/kernel/random/boot_id"))?.trim() ?? "")
      assert.sameMembers(yield* Effect.promise(() => readdir(path)), [alive, "of-somebody-else"])
    }).pipe(Effect.scoped)
  )
})

const groups = await Effect.runPromise(findMemoryGroups)

if (groups !== undefined)
  for (const [name, options] of levels)
    describe(`memory groups on this machine: ${name}`, () => {
      const groupsOf = (pid: string) =>
        Effect.promise(async () => (await readdir(groups)).filter((each) => each.startsWith(`fairlead-${pid}-`)))

      it.live("end with their jobs", () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { directory, host } = yield* place({ ...options, memory: "cgroup", languages: ["bash"] })
            const runtime = yield* host
            const handle = yield* runtime.start(contractJob(runtime, "bash", ["echo up; sleep 60"]))
            yield* untilPrinted(runtime, handle)
            const [pid = ""] = (yield* readTarget(join(directory, "jobs", handle.jobId, "claim")))?.split(":") ?? []
            assert.lengthOf(yield* groupsOf(pid), 1)
            yield* runtime.stop(handle)
            yield* observeAll(runtime, handle)
            yield* eventually(groupsOf(pid), (found) => found.length === 0)
          })
        )
      )

      it.live("are cleared away with all that is in them when their shim was killed", () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { directory, host } = yield* place({ ...options, memory: "cgroup", languages: ["bash"] })
            const runtime = yield* host
            const spec = marked(contractJob(runtime, "bash", ["setsid sleep 60 & echo up; wait"]))
            const handle = yield* runtime.start(spec)
            yield* untilPrinted(runtime, handle)
            const [pid = ""] = (yield* readTarget(join(directory, "jobs", handle.jobId, "claim")))?.split(":") ?? []
            process.kill(Number(pid), "SIGKILL")
            const bootId = (yield* readText("/proc/sys/kernel/random/boot_id"))?.trim() ?? ""
            yield* eventually(
              Effect.andThen(sweepMemoryGroups(groups, bootId), groupsOf(pid)),
              (found) => found.length === 0
            )
            assert.deepStrictEqual(yield* processesOf(spec), [])
          })
        )
      )
    })
