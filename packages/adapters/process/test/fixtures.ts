/** Machines for tests: a directory of its own for each, and scripts in the languages that every machine with this runtime has. */
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { geteuid, pid } from "node:process"
import type { JobSpec } from "@fairlead/core/runtime/Job"
import type { JobId } from "@fairlead/core/runtime/JobId"
import { make, type ProcessRuntimeOptions } from "@fairlead/process/ProcessRuntime"
import type { ContractScripts } from "@fairlead/testing/fixtures/ContractScripts"
import { Effect, Redacted, Schedule } from "effect"
import { makeJobDirectories, prepare } from "../src/internal/jobDirectory.ts"

/** A new directory, gone with the scope. Removed with force: tests leave what scripts left. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "process-runtime-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
)

/** One machine in the sense of the contract. */
export const place = (options: Omit<ProcessRuntimeOptions, "directory"> = {}) =>
  Effect.map(temporaryDirectory, (directory) => ({
    directory,
    host: make({
      interpreterPath: "/usr/bin:/bin",
      languages: ["bash", "python", "node", "typescript"],
      unsafeScriptsAsHostUser: options.uids === undefined,
      ...options,
      directory
    })
  }))

const inShell = (millis: number, text: string) => `sleep ${millis / 1000}; echo ${text}`

export const bash: ContractScripts = {
  language: "bash",
  print: (text) => `echo '${text}'`,
  printError: (text) => `echo '${text}' >&2`,
  printBytes: (hex) => `printf '${hex.replaceAll(/../g, (pair) => `\\x${pair}`)}'`,
  fill: (bytes) => `head -c ${bytes} /dev/zero | tr '\\0' x`,
  printEnv: (name) => `echo "$${name}"`,
  printArgs: `printf '%s\\n' "$@"`,
  sleep: (millis) => `sleep ${millis / 1000}`,
  later: (millis, text) => `(${inShell(millis, text)}) &`,
  exit: (code) => `exit ${code}`,
  hang: "while :; do sleep 60; done",
  stubborn: "trap '' TERM",
  partWith: (text) => `trap 'echo ${text}; exit 0' TERM`
}

export const python: ContractScripts = {
  language: "python",
  print: (text) => `print('${text}')`,
  printError: (text) => `import sys; print('${text}', file=sys.stderr)`,
  printBytes: (hex) => `import sys; sys.stdout.buffer.write(bytes.fromhex('${hex}'))`,
  fill: (bytes) => `import sys; sys.stdout.write('x' * ${bytes}); sys.stdout.flush()`,
  printEnv: (name) => `import os; print(os.environ['${name}'])`,
  printArgs: "import sys; [print(arg) for arg in sys.argv[1:]]",
  sleep: (millis) => `import time; time.sleep(${millis / 1000})`,
  later: (millis, text) => `import subprocess; subprocess.Popen(['sh', '-c', '${inShell(millis, text)}'])`,
  exit: (code) => `import sys; sys.exit(${code})`,
  hang: "import time\nwhile True: time.sleep(60)",
  stubborn: "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
  partWith: (text) => `import signal, sys; signal.signal(signal.SIGTERM, lambda *_: (print('${text}'), sys.exit(0)))`
}

export const node: ContractScripts = {
  language: "node",
  print: (text) => `process.stdout.write('${text}\\n')`,
  printError: (text) => `process.stderr.write('${text}\\n')`,
  printBytes: (hex) => `process.stdout.write(Buffer.from('${hex}', 'hex'))`,
  fill: (bytes) => `process.stdout.write('x'.repeat(${bytes}))`,
  printEnv: (name) => `console.log(process.env['${name}'])`,
  printArgs: "for (const arg of process.argv.slice(2)) console.log(arg)",
  sleep: (millis) => `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${millis})`,
  later: (millis, text) =>
    `require('node:child_process').spawn('sh', ['-c', '${inShell(millis, text)}'], { detached: true, stdio: 'inherit' }).unref()`,
  exit: (code) => `process.exitCode = ${code}`,
  hang: "setInterval(() => {}, 60_000)",
  stubborn: "process.on('SIGTERM', () => {})",
  partWith: (text) => `process.on('SIGTERM', () => { console.log('${text}'); process.exit(0) })`
}

/** Looks every 20 ms until `holds`; fails the test when that takes more than 10 s. Gives the value that held. */
export const eventually = <A, E, R>(look: Effect.Effect<A, E, R>, holds: (value: A) => boolean) =>
  look.pipe(Effect.repeat({ until: holds, schedule: Schedule.spaced("20 millis") }), Effect.timeout("10 seconds"))

/** 32 users of this test file alone: files run side by side, and what a user may start is counted over the whole machine. */
export const ownUids = (n: number) => ({ first: 1_900_000_000 + (pid % 4_096) * 128 + n * 32, count: 32 })

/** The two levels, at each of them with the strictest user that this test may choose. */
export const levels: ReadonlyArray<readonly [string, Omit<ProcessRuntimeOptions, "directory">]> =
  geteuid?.() === 0
    ? [
        ["namespace, as users of their own", { level: "namespace", uids: ownUids(0) }],
        ["basic, as users of their own", { level: "basic", uids: ownUids(1) }]
      ]
    : [
        ["namespace", { level: "namespace" }],
        ["basic", { level: "basic" }]
      ]

export const unconfined = {
  shared: [],
  cleared: [],
  memoryGroups: undefined,
  killGraceMillis: 1_000,
  diskReserveBytes: 0,
  outputRateBytes: 8 * 1024 ** 2
} as const

/** What a host leaves that dies between making the directory, or taking one with a shim, and starting the shim. */
export const leavePrepared = Effect.fnUntraced(function* (
  directory: string,
  spec: JobSpec,
  { level = "namespace", uids }: Omit<ProcessRuntimeOptions, "directory"> = {},
  spareDirectory?: string
) {
  const directories = yield* makeJobDirectories(directory)
  const hostIsRoot = geteuid?.() === 0
  const confinement = { level, uids, hostIsRoot, hidden: [directory], ...unconfined }
  const interpreter = {
    language: "bash",
    version: "5",
    fileExtension: "sh",
    env: () => ({}),
    reservedBytes: 256 * 1024 ** 2,
    command: () => ["bash"]
  }
  const target = join(directories.jobs, spec.jobId)
  if (spareDirectory === undefined) return yield* prepare(directories, target, confinement, spec, interpreter)
  const file = yield* Effect.acquireRelease(
    Effect.promise(() => open(join(spareDirectory, "spec"), "r+")),
    (opened) => Effect.promise(() => opened.close())
  )
  const spare = { directory: spareDirectory, spec: file }
  return yield* prepare(directories, target, confinement, spec, interpreter, { spare })
})

/** An environment by which the processes of a job can be found from outside. */
export const marked = (spec: JobSpec): JobSpec => ({ ...spec, env: Redacted.make({ MARK: spec.jobId }) })

/** Ids of living processes that carry the mark of the job. */
export const processesOf = ({ jobId }: { readonly jobId: JobId }) =>
  Effect.promise(async () => {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name))
    const environments = await Promise.all(
      pids.map(async (pid) => ({ pid, environ: await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "") }))
    )
    return environments.filter(({ environ }) => environ.split("\0").includes(`MARK=${jobId}`)).map(({ pid }) => pid)
  })
