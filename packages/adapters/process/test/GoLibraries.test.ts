/** Go's standard library: compiled once by the host, read by all jobs, changed by none. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { geteuid } from "node:process"
import { assert, describe, it } from "@effect/vitest"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { make, type ProcessRuntimeOptions } from "@fairlead/process/ProcessRuntime"
import { contractJob, exited, observeAll, readable } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect, Schedule, type Scope } from "effect"
import { makeJobDirectories } from "../src/internal/jobDirectory.ts"
import { eventually, levels, ownUids, temporaryDirectory } from "./fixtures.ts"

const isRoot = geteuid?.() === 0
const hasGo = existsSync("/usr/local/go/bin/go") || spawnSync("go", ["version"]).status === 0

/** Prints whether little was compiled for it, and what it can do to the folder of its argument or of the machine's library. */
const script = `package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	compiled := int64(0)
	filepath.Walk(os.Getenv("HOME")+"/.cache/go-build", func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			compiled += info.Size()
		}
		return nil
	})
	fmt.Println("little:", compiled < 10_000_000)
	library := os.Args[1]
	_, err := os.ReadFile(library + "/fmt.a")
	fmt.Println("reads:", err == nil)
	_, err = os.OpenFile(library+"/fmt.a", os.O_WRONLY, 0)
	fmt.Println("writes:", err == nil)
	fmt.Println("adds:", os.WriteFile(library+"/new.a", nil, 0o666) == nil)
	fmt.Println("removes:", os.Remove(library+"/fmt.a") == nil || os.Rename(library, library+".old") == nil)
	fmt.Println("plants:", os.MkdirAll(filepath.Dir(library)+"/go-0.0.0", 0o777) == nil && library != "/tmp/library")
}
`

/** Output by a path, with the line ends of Windows. */
const byPath = [
  "package main",
  'import "os"',
  "func main() {",
  '  for _, line := range [][2]string{{"stdout", "out"}, {"stderr", "err"}, {"fd/1", "last"}} {',
  '    file, err := os.OpenFile("/dev/"+line[0], os.O_WRONLY, 0)',
  "    if err != nil { panic(err) }",
  "    file.WriteString(line[1] + `",
  "`)",
  "    file.Close()",
  "  }",
  "}",
  ""
].join("\r\n")
const smallest = "package main\nfunc main() { print(1) }"

const run = (runtime: ScriptRuntime, text: string, library = "") => {
  const limits = { timeoutMillis: 240_000, cpuMillis: 480_000, memoryBytes: 1024 ** 3 }
  const spec = { ...contractJob(runtime, "go", [text], limits), args: [library] }
  return Effect.map(
    Effect.flatMap(runtime.start(spec), (handle) => observeAll(runtime, handle)),
    readable
  )
}
const served = {
  stdout: `little: true\nreads: true\nwrites: false\nadds: false\nremoves: false\nplants: false\n`,
  stderr: "",
  end: exited(0)
}

const librariesOf = (directory: string) => Effect.promise(() => readdir(join(directory, "libraries")))
const onlyGo = (directory: string, options: Partial<ProcessRuntimeOptions>) =>
  make({ directory, unsafeScriptsAsHostUser: options.uids === undefined, languages: ["go"], ...options })

describe.skipIf(!hasGo)("the standard library of Go", () => {
  const madeBy = Effect.fnUntraced(function* (
    directory: string,
    options: Partial<ProcessRuntimeOptions>
  ): Effect.fn.Return<ScriptRuntime, unknown, Scope.Scope> {
    const runtime = yield* onlyGo(directory, options)
    // It compiles what it needs itself, and has the host begin.
    assert.deepStrictEqual(yield* run(runtime, smallest), { stdout: "", stderr: "1", end: exited(0) })
    yield* librariesOf(directory).pipe(
      Effect.repeat({ until: (names) => names.length > 0, schedule: Schedule.spaced("200 millis") }),
      Effect.timeout("280 seconds")
    )
    return runtime
  })

  it.live(
    "is compiled once by the host, then read by every job and changed by none, at every level that protects it",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const directory = yield* temporaryDirectory
          const [[, namespaced = {}] = [], [, basic = {}] = []] = levels
          const runtime = yield* madeBy(directory, namespaced)
          const [name = ""] = yield* librariesOf(directory)
          const library = join(directory, "libraries", name)
          assert.strictEqual((yield* Effect.promise(() => stat(join(library, "fmt.a")))).uid, geteuid?.())
          for (let n = 0; n < 2; n++) assert.deepStrictEqual(yield* run(runtime, script, "/tmp/library"), served)
          const written = { stdout: "out\nlast\n", stderr: "err\n", end: exited(0) }
          assert.deepStrictEqual(yield* run(runtime, byPath), written)
          const other = yield* onlyGo(directory, basic)
          // Without users of their own nothing keeps it from jobs there.
          assert.deepStrictEqual(yield* librariesOf(directory), isRoot ? [name] : [])
          if (isRoot) for (let n = 0; n < 2; n++) assert.deepStrictEqual(yield* run(other, script, library), served)
          // Spare shims wait there too.
          const building = Effect.promise(() => readdir(join(directory, "building")))
          yield* eventually(building, (names) => !names.some((each) => each.startsWith("go-library")))
        })
      ),
    360_000
  )
})

describe.skipIf(!hasGo)("libraries that an earlier host has left", () => {
  const left = ["go-0.0.1", "of somebody else"]
  const leave = (directory: string, names: ReadonlyArray<string>) =>
    Effect.promise(async () => {
      for (const name of names) await mkdir(join(directory, "libraries", name), { recursive: true })
    })

  it.live.skipIf(!isRoot)("stay when jobs could not change them, if there is such a Go here", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* makeJobDirectories(directory)
        const options = { uids: ownUids(2) }
        const { languages } = yield* onlyGo(directory, options)
        const here = (languages[0]?.versions ?? []).map((version) => `go-${version}`)
        yield* leave(directory, [...left, ...here])
        yield* onlyGo(directory, options)
        assert.sameMembers(yield* librariesOf(directory), here)
      })
    )
  )

  it.live("are put away when jobs were the host's user", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const { languages } = yield* onlyGo(directory, {})
        yield* leave(directory, [...left, ...(languages[0]?.versions ?? []).map((version) => `go-${version}`)])
        yield* onlyGo(directory, {})
        assert.deepStrictEqual(yield* librariesOf(directory), [])
      })
    )
  )
})
