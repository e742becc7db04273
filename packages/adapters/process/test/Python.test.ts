/** Which Python runs, which packages it has, and what isolated mode keeps from it. */
import { execFile } from "node:child_process"
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { geteuid } from "node:process"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { make } from "@fairlead/process/ProcessRuntime"
import { Effect } from "effect"
import { situations } from "../src/internal/claims.ts"
import { ownUids, temporaryDirectory } from "./fixtures.ts"
import { reachable, runAs, subjectOf } from "./situations.ts"

const isRoot = geteuid?.() === 0
const program = promisify(execFile)
const machinesPython = "/usr/bin/python3"

/** Scripts see it at every level; /tmp they do not. */
const visibleFolder = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await mkdtemp(join(isRoot ? "/var/lib" : homedir(), "fairlead-python-"))
    await chmod(folder, 0o755)
    return folder
  }),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** A virtual environment `venv` with a module `of_the_venv`, and a folder `more` with a module `of_the_path`. */
const makeVenv = Effect.fnUntraced(function* (folder: string) {
  const [venv, more] = [join(folder, "venv"), join(folder, "more")]
  yield* Effect.promise(async () => {
    await program(machinesPython, ["-m", "venv", "--without-pip", venv])
    const find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    const { stdout } = await program(join(venv, "bin", "python"), ["-c", find])
    await writeFile(join(stdout.trim(), "of_the_venv.py"), "")
    await mkdir(more)
    await writeFile(join(more, "of_the_path.py"), "")
    await program("chmod", ["-R", "a+rX", folder])
  })
  return { more, venv }
})

/** Prints the environment, and which of the modules it can import: one that it writes beside itself among them. */
const script = [
  "import os, site, sys",
  "open('beside.py', 'w').close()",
  "def can(name):",
  "  try: __import__(name); return True",
  "  except ImportError: return False",
  "print(sys.prefix, *filter(can, ['of_the_venv', 'beside', 'of_the_path']))",
  "print(site.getusersitepackages().startswith(os.environ['HOME']))"
]

for (const situation of reachable)
  describe(`Python: ${situations[situation]}`, () => {
    const run = Effect.fnUntraced(function* (python: object, env: Readonly<Record<string, string>>) {
      const subject = yield* subjectOf(situation)
      const [ending] = yield* runAs(situation, "python", subject, [script], { env, options: { python } })
      assert.deepInclude(ending, { stderr: "", end: { _tag: "Exited", exitCode: 0 } })
      return ending?.stdout
    })

    it.live(
      "has the packages of the chosen environment in both modes, and its own folder and PYTHONPATH only when it is not isolated",
      () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { more, venv } = yield* makeVenv(yield* visibleFolder)
            const [env, own] = [{ PYTHONPATH: more }, "True\n"]
            const isolated = `${venv} of_the_venv\n${own}`
            assert.strictEqual(yield* run({ interpreter: venv }, env), isolated)
            const free = `${venv} of_the_venv beside of_the_path\n${own}`
            assert.strictEqual(yield* run({ interpreter: join(venv, "bin", "python"), isolated: false }, env), free)
            const plain = yield* run({ interpreter: machinesPython, isolated: false }, {})
            assert.strictEqual(plain, `/usr beside\n${own}`)
          })
        ),
      60_000
    )
  })

describe("a chosen Python that scripts cannot run", () => {
  const refusal = Effect.fnUntraced(function* (interpreter: string, uids?: { readonly first: number; count: number }) {
    const directory = yield* temporaryDirectory
    const users = uids === undefined ? { unsafeScriptsAsHostUser: true } : { uids }
    const error = yield* Effect.flip(make({ directory, ...users, languages: ["python"], python: { interpreter } }))
    assert.deepInclude(error, { _tag: "ProcessRuntimeUnavailable", reason: "python" })
    return error.message
  })

  it.live("keeps the host from starting, with the reason: none, no Python, not executable", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* visibleFolder
        const file = join(folder, "python")
        yield* Effect.promise(() => writeFile(file, "#!/bin/sh\n", { mode: 0o644 }))
        assert.strictEqual(yield* refusal(join(folder, "none")), `${folder}/none does not exist`)
        assert.include(yield* refusal(folder), `${folder} is no virtual environment`)
        assert.include(yield* refusal(file), "it may not be executed")
        yield* Effect.promise(() => chmod(file, 0o755))
        assert.strictEqual(yield* refusal(file), `${file} is no Python 3`)
      })
    )
  )

  it.live("keeps the host from starting when it is in a folder that scripts do not see, or leads there", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const { venv } = yield* makeVenv(directory)
        const folder = yield* visibleFolder
        const link = join(folder, "venv")
        yield* Effect.promise(() => symlink(venv, link))
        for (const interpreter of [venv, link]) {
          const options = { directory, unsafeScriptsAsHostUser: true, languages: ["python"], python: { interpreter } }
          const error = yield* Effect.flip(make(options))
          assert.deepInclude(error, { _tag: "ProcessRuntimeUnavailable", reason: "python" })
          assert.include(error.message, `scripts cannot see ${yield* Effect.promise(() => realpath(directory))}`)
        }
      })
    )
  )

  it.live.skipIf(!isRoot)("keeps the host from starting when the users of jobs may not go there", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* visibleFolder
        const { venv } = yield* makeVenv(folder)
        yield* Effect.promise(() => chmod(folder, 0o700))
        const uids = { ...ownUids(0), count: 1 }
        assert.include(
          yield* refusal(venv, uids),
          `as the user ${uids.first}: it may not be executed, or not be reached`
        )
      })
    )
  )

  it.live("does not matter to a host that offers no Python", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const python = { interpreter: "/nowhere" }
        const { languages } = yield* make({ directory, unsafeScriptsAsHostUser: true, languages: ["bash"], python })
        assert.deepStrictEqual(
          languages.map(({ name }) => name),
          ["bash"]
        )
      })
    )
  )
})
