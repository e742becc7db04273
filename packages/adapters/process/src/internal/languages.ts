/** The languages this runtime knows, and what of them is installed. To add one, add a row to `table`. */
import { readdir, realpath } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import type { Language } from "@fairlead/core/runtime/Language"
import { Array as Arr, Effect, Order } from "effect"
import { attempt, type FileFailure, type RunOptions, run } from "./files.ts"

interface InterpreterRow {
  /** Names under which the interpreter is looked for. */
  readonly programs: RegExp
  /** Makes the interpreter print its version and, if it knows it better than the file system, its real path on the next line. */
  readonly probe: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Writable memory that the interpreter reserves without using it; comes on top of the job's limit on address space. */
  readonly reservedMiB?: number
  readonly languages: ReadonlyArray<LanguageRow>
}

interface LanguageRow {
  readonly name: string
  readonly fileExtension: string
  /** Between the interpreter and the script. `memoryMiB` is the limit of the job. */
  readonly flags?: (memoryMiB: number) => ReadonlyArray<string>
  readonly minimumVersion?: string
}

const share = (memoryMiB: number, part: number) => Math.max(16, Math.floor(memoryMiB * part))
const heapFlag = (memoryMiB: number) => [`--max-old-space-size=${share(memoryMiB, 0.75)}`]

const table: ReadonlyArray<InterpreterRow> = [
  {
    programs: /^python(3(\.\d+)?)?$/,
    probe: ["-I", "-c", "import sys; print(sys.version.split()[0]); print(sys.executable)"],
    languages: [{ name: "python", fileExtension: "py", flags: () => ["-I", "-u"] }]
  },
  {
    programs: /^node(js)?$/,
    probe: ["-p", "process.versions.node + '\\n' + process.execPath"],
    reservedMiB: 1_024,
    languages: [
      { name: "node", fileExtension: "js", flags: heapFlag },
      { name: "javascript", fileExtension: "js", flags: heapFlag },
      {
        name: "typescript",
        fileExtension: "ts",
        flags: (memoryMiB) => [...heapFlag(memoryMiB), "--disable-warning=ExperimentalWarning"],
        minimumVersion: "22.18.0"
      }
    ]
  },
  { programs: /^bash$/, probe: ["--version"], languages: [{ name: "bash", fileExtension: "sh" }] },
  {
    programs: /^ruby(\d\.\d)?$/,
    probe: ["-e", "puts RUBY_VERSION"],
    languages: [{ name: "ruby", fileExtension: "rb" }]
  },
  { programs: /^perl$/, probe: ["-e", "printf '%vd', $^V"], languages: [{ name: "perl", fileExtension: "pl" }] },
  {
    programs: /^php(\d\.\d)?$/,
    probe: ["-r", "echo PHP_VERSION;"],
    languages: [{ name: "php", fileExtension: "php" }]
  },
  { programs: /^lua(5\.\d)?$/, probe: ["-v"], languages: [{ name: "lua", fileExtension: "lua" }] },
  {
    programs: /^Rscript$/,
    probe: ["--version"],
    languages: [{ name: "r", fileExtension: "R", flags: () => ["--vanilla"] }]
  },
  {
    programs: /^go$/,
    probe: ["version"],
    env: { GOTOOLCHAIN: "local", GOTELEMETRY: "off" },
    reservedMiB: 1_024,
    languages: [{ name: "go", fileExtension: "go", flags: () => ["run"] }]
  },
  {
    programs: /^java$/,
    probe: ["-version"],
    reservedMiB: 2_048,
    languages: [
      {
        name: "java",
        fileExtension: "java",
        flags: (memoryMiB) => [`-Xmx${share(memoryMiB, 0.5)}m`, "-XX:TieredStopAtLevel=1"]
      }
    ]
  }
]

/** One version of a language, ready to run. */
export interface Interpreter {
  readonly language: string
  readonly version: string
  readonly fileExtension: string
  readonly env: Readonly<Record<string, string>>
  readonly reservedBytes: number
  readonly command: (memoryBytes: number) => ReadonlyArray<string>
}

export interface Discovery {
  /** Folders to look into, separated by colons; the first folder that has a version provides it. */
  readonly path: string
  /** Interpreters below these paths are out of reach of jobs. */
  readonly unreachable: ReadonlyArray<string>
  /** The user that runs jobs, when it is another one than the host's. */
  readonly uid: number | undefined
}

const maximumCandidates = 8
const probeTimeoutMillis = 5_000

/** Everything that is installed, by running each interpreter found once, as the user that will run it. */
export const discover = Effect.fnUntraced(function* (discovery: Discovery) {
  const folders = Arr.dedupe([...discovery.path.split(":"), "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/go/bin"])
  const programs = yield* Effect.forEach(folders.filter(isAbsolute), programsIn, { concurrency: 4 })
  const found = yield* Effect.forEach(table, (row) => interpretersOf(row, programs.flat(), discovery), {
    concurrency: 4
  })
  return found.flat()
})

/** The languages of the port, each with its versions. */
export const languagesOf = (interpreters: ReadonlyArray<Interpreter>): ReadonlyArray<Language> =>
  Object.values(Arr.groupBy(interpreters, ({ language }) => language)).map((found) => ({
    name: found[0].language,
    versions: Arr.map(found, ({ version }) => version),
    fileExtension: found[0].fileExtension
  }))

interface Program {
  readonly name: string
  readonly path: string
}

const programsIn = (folder: string) =>
  attempt(() => readdir(folder)).pipe(
    Effect.map((names) => names.map((name): Program => ({ name, path: join(folder, name) }))),
    // A folder of PATH that is missing or unreadable has nothing to offer.
    Effect.orElseSucceed((): ReadonlyArray<Program> => [])
  )

const interpretersOf = Effect.fnUntraced(function* (
  row: InterpreterRow,
  programs: ReadonlyArray<Program>,
  { path, uid, unreachable }: Discovery
) {
  const named = programs.filter(({ name }) => row.programs.test(name)).slice(0, maximumCandidates)
  const options = { path, uid, timeoutMillis: probeTimeoutMillis }
  const probed = yield* Effect.forEach(named, (program) => probe(row, program.path, options), { concurrency: 4 })
  const usable = probed.filter((found) => found !== undefined).filter(({ path }) => !isBelow(path, unreachable))
  const versions = Arr.sort(
    Arr.dedupeWith(usable, (a, b) => a.version === b.version),
    newestFirst
  )
  return row.languages.flatMap((language) =>
    versions
      .filter(({ version }) => compareVersions(version, language.minimumVersion ?? "0") >= 0)
      .map((found) => interpreter(row, language, found))
  )
})

const isBelow = (path: string, folders: ReadonlyArray<string>) =>
  folders.some((folder) => path.startsWith(`${folder}/`))

interface Found {
  readonly path: string
  readonly version: string
}

const interpreter = (row: InterpreterRow, language: LanguageRow, { path, version }: Found): Interpreter => ({
  language: language.name,
  version,
  fileExtension: language.fileExtension,
  env: row.env ?? {},
  reservedBytes: (row.reservedMiB ?? 256) * 1024 ** 2,
  command: (memoryBytes) => [path, ...(language.flags?.(Math.floor(memoryBytes / 1024 ** 2)) ?? [])]
})

/** Undefined for a program that does not work here. */
const probe = (row: InterpreterRow, path: string, options: RunOptions) =>
  Effect.gen(function* (): Effect.fn.Return<Found | undefined, FileFailure> {
    const output = yield* run(path, row.probe, options)
    const [, version, printed] = /(\d+\.\d+(?:\.\d+)?)[^\n]*(?:\n(\/[^\n]+))?/.exec(output) ?? []
    if (version === undefined) return undefined
    return { path: printed ?? (yield* attempt(() => realpath(path))), version }
  }).pipe(Effect.orElseSucceed(() => undefined))

const compareVersions = (a: string, b: string): -1 | 0 | 1 => {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)]
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference > 0 ? 1 : -1
  }
  return 0
}

const newestFirst = Order.make<Found>((a, b) => compareVersions(b.version, a.version))
