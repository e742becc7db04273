/** The languages this runtime knows, and what of them is installed. To add one, add a row to `others`. */
import { open, readdir, realpath } from "node:fs/promises"
import { dirname, isAbsolute, join } from "node:path"
import { execPath } from "node:process"
import type { Language } from "@fairlead/core/runtime/Language"
import { Array as Arr, Config, Effect, Order } from "effect"
import { chosenPython } from "./chosenPython.ts"
import { attempt, type FileFailure, isBelow, type RunOptions, run, systemPath } from "./files.ts"

interface InterpreterRow {
  readonly program: string
  /** Further names under which the interpreter is looked for. */
  readonly otherNames?: RegExp
  /** The one to take, by exactly this path, in place of all that is found. */
  readonly chosen?: string | undefined
  /** Makes the interpreter print its version and, if it knows it better than the file system, its real path on the next line. */
  readonly probe: ReadonlyArray<string>
  readonly env?: (memoryMiB: number) => Readonly<Record<string, string>>
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
  /** The interpreter takes a carriage return before a line feed for a part of the line. */
  readonly needsUnixLines?: boolean
}

const share = (memoryMiB: number, part: number) => Math.max(16, Math.floor(memoryMiB * part))
const nodeFlags = (memoryMiB: number) => [
  `--max-old-space-size=${share(memoryMiB, 0.75)}`,
  // Scripts may be modules or not, typed or not, without being told so.
  "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
  "--disable-warning=ExperimentalWarning"
]

const pythonRow = (chosen: string | undefined, isIsolated: boolean): InterpreterRow => ({
  program: "python3",
  otherNames: /^python3\.\d+$/,
  chosen,
  probe: ["-I", "-c", "import sys; print(sys.version.split()[0]); print(sys.executable)"],
  languages: [{ name: "python", fileExtension: "py", flags: () => (isIsolated ? ["-I", "-u"] : ["-u"]) }]
})

const others: ReadonlyArray<InterpreterRow> = [
  {
    program: "node",
    otherNames: /^nodejs$/,
    probe: ["-p", "process.versions.node + '\\n' + process.execPath"],
    reservedMiB: 1_024,
    languages: [
      { name: "node", fileExtension: "js", flags: nodeFlags, minimumVersion: "20.11.0" },
      { name: "javascript", fileExtension: "js", flags: nodeFlags, minimumVersion: "20.11.0" },
      { name: "typescript", fileExtension: "ts", flags: nodeFlags, minimumVersion: "22.18.0" }
    ]
  },
  { program: "bash", probe: ["--version"], languages: [{ name: "bash", fileExtension: "sh", needsUnixLines: true }] },
  {
    program: "ruby",
    otherNames: /^ruby\d\.\d$/,
    probe: ["-e", "puts RUBY_VERSION"],
    languages: [{ name: "ruby", fileExtension: "rb" }]
  },
  {
    program: "perl",
    probe: ["-e", "printf '%vd', $^V"],
    languages: [{ name: "perl", fileExtension: "pl", needsUnixLines: true }]
  },
  {
    program: "php",
    otherNames: /^php\d\.\d$/,
    probe: ["-r", "echo PHP_VERSION;"],
    languages: [{ name: "php", fileExtension: "php", needsUnixLines: true }]
  },
  { program: "lua", otherNames: /^lua5\.\d$/, probe: ["-v"], languages: [{ name: "lua", fileExtension: "lua" }] },
  {
    program: "Rscript",
    probe: ["--version"],
    languages: [{ name: "r", fileExtension: "R", flags: () => ["--vanilla"] }]
  },
  {
    program: "go",
    probe: ["version"],
    // A job that compiles the standard library itself fits into small limits only slowly.
    env: (memoryMiB) => ({
      GOTOOLCHAIN: "local",
      GOTELEMETRY: "off",
      ...(memoryMiB < 512 ? { GOFLAGS: "-p=1", GOGC: "30" } : {})
    }),
    reservedMiB: 1_024,
    languages: [{ name: "go", fileExtension: "go", flags: () => ["run"] }]
  },
  {
    program: "java",
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
  readonly env: (memoryBytes: number) => Readonly<Record<string, string>>
  readonly reservedBytes: number
  readonly command: (memoryBytes: number) => ReadonlyArray<string>
  /** Scripts from other systems end their lines otherwise. */
  readonly needsUnixLines?: boolean
  /** The folder below `JobDirectories.libraries` that its jobs can read. */
  readonly library?: string
}

/** As in `ProcessRuntimeOptions`. */
export interface PythonChoice {
  readonly interpreter?: string
  readonly isolated?: boolean
}

export interface Discovery {
  /** Folders to look into, separated by colons; the first folder that has a version provides it. */
  readonly path: string
  /** Interpreters below these paths are out of reach of jobs. */
  readonly unreachable: ReadonlyArray<string>
  /** The user that runs jobs, when it is another one than the host's. */
  readonly uid: number | undefined
  /** Names; undefined for all. */
  readonly languages: ReadonlyArray<string> | undefined
  readonly python: PythonChoice
}

const maximumCandidates = 8
const probeTimeoutMillis = 5_000

export const hostPath = Effect.orElseSucceed(Config.String("PATH"), () => systemPath)

const usualFolders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/go/bin"]

/**
 * Everything that is installed, and the host's own Node, by running each interpreter found once, as the user that will run it. Fails when
 * the chosen Python cannot be used.
 */
export const discover = Effect.fnUntraced(function* (discovery: Discovery) {
  const folders = Arr.dedupe([...discovery.path.split(":"), ...usualFolders, dirname(execPath)])
  const programs = yield* Effect.forEach(folders.filter(isAbsolute), programsIn, { concurrency: 4 })
  const { interpreter, isolated = true } = discovery.python
  const isPythonChosen = interpreter !== undefined && (discovery.languages?.includes("python") ?? true)
  const python = pythonRow(isPythonChosen ? yield* chosenPython(interpreter, discovery) : undefined, isolated)
  const found = yield* Effect.forEach([python, ...others], (row) => interpretersOf(row, programs.flat(), discovery), {
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
  /** May be a symbolic link. */
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
  { languages, path, uid, unreachable }: Discovery
) {
  const wanted = row.languages.filter(({ name }) => languages?.includes(name) ?? true)
  if (wanted.length === 0) return []
  const candidates = row.chosen === undefined ? yield* candidatesOf(row, programs) : [row.chosen]
  const options = { path, uid, timeoutMillis: probeTimeoutMillis }
  const probed = yield* Effect.forEach(candidates.slice(0, maximumCandidates), (each) => probe(row, each, options), {
    concurrency: 4
  })
  const usable = probed.filter((found) => found !== undefined).filter(({ path }) => !isBelow(path, unreachable))
  const versions = Arr.sort(
    Arr.dedupeWith(usable, (a, b) => a.version === b.version),
    newestFirst
  )
  return wanted.flatMap((language) =>
    versions
      .filter(({ version }) => compareVersions(version, language.minimumVersion ?? "0") >= 0)
      .map((found) => interpreter(row, language, found))
  )
})

const candidatesOf = (row: InterpreterRow, programs: ReadonlyArray<Program>) =>
  Effect.map(
    Effect.forEach(
      programs.filter(({ name }) => name === row.program || row.otherNames?.test(name)),
      (program) => realProgram(row, program),
      { concurrency: 4 }
    ),
    (found) => Arr.dedupe(found.flat())
  )

/**
 * The binary behind a name; none for what cannot be read. A version manager has a slow script for each name of each version: it
 * is asked under the plain name only, for the version that it has chosen.
 */
const realProgram = (row: InterpreterRow, { name, path }: Program) =>
  Effect.gen(function* (): Effect.fn.Return<ReadonlyArray<string>, FileFailure> {
    const real = yield* attempt(() => realpath(path))
    return name === row.program || !(yield* isScript(real)) ? [real] : []
  }).pipe(Effect.orElseSucceed((): ReadonlyArray<string> => []))

const isScript = (path: string) =>
  Effect.acquireUseRelease(
    attempt(() => open(path, "r")),
    (file) =>
      Effect.map(
        attempt(() => file.read(Buffer.alloc(2), 0, 2, 0)),
        ({ buffer }) => buffer.toString() === "#!"
      ),
    (file) => Effect.ignore(attempt(() => file.close()))
  )

interface Found {
  readonly path: string
  readonly version: string
}

const interpreter = (row: InterpreterRow, language: LanguageRow, { path, version }: Found): Interpreter => ({
  language: language.name,
  version,
  fileExtension: language.fileExtension,
  env: (memoryBytes) => row.env?.(mebibytes(memoryBytes)) ?? {},
  reservedBytes: (row.reservedMiB ?? 256) * 1024 ** 2,
  command: (memoryBytes) => [path, ...(language.flags?.(mebibytes(memoryBytes)) ?? [])],
  needsUnixLines: language.needsUnixLines ?? false
})

const mebibytes = (bytes: number) => Math.floor(bytes / 1024 ** 2)

/** Undefined for a program that does not work here. */
const probe = (row: InterpreterRow, path: string, options: RunOptions) =>
  Effect.gen(function* (): Effect.fn.Return<Found | undefined, FileFailure> {
    const output = yield* run(path, row.probe, options)
    const [, version, printed] = /(\d+\.\d+(?:\.\d+)?)[^\n]*(?:\n(\/[^\n]+))?/.exec(output) ?? []
    if (version === undefined) return undefined
    return { path: printed ?? path, version }
  }).pipe(Effect.orElseSucceed((): Found | undefined => undefined))

const compareVersions = (a: string, b: string): -1 | 0 | 1 => {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)]
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference > 0 ? 1 : -1
  }
  return 0
}

const newestFirst = Order.make<Found>((a, b) => compareVersions(b.version, a.version))
