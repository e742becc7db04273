/** What the shim is told: the content of `spec`. Pure. */
import { join } from "node:path"
import { type JobSpec, tailBytesOf } from "@fairlead/core/runtime/Job"
import { Redacted } from "effect"
import type { Interpreter } from "./languages.ts"

/** How the jobs of this host are kept apart. */
export interface Confinement {
  readonly level: "namespace" | "basic"
  /** Users for jobs, one at a time each. Undefined: jobs run as the host's user. */
  readonly uids: { readonly first: number; readonly count: number } | undefined
  readonly hostIsRoot: boolean
  /** Directories that scripts find empty. Level `namespace` only. */
  readonly hidden: ReadonlyArray<string>
  /** Directories of the machine to which scripts can write. Level `namespace` only: without it nothing keeps them from others. */
  readonly shared: ReadonlyArray<string>
  /** Directories to which every user can write, from which the files of a job's own user are removed. Level `basic` only. */
  readonly cleared: ReadonlyArray<string>
  /** The control group that holds the memory groups of jobs. Undefined: there can be none, and the shim looks at their memory. */
  readonly memoryGroups: string | undefined
  readonly killGraceMillis: number
  /** Free bytes that jobs leave on the file system of their directory. */
  readonly diskReserveBytes: number
  /** Bytes a second that a job may write to its output for long. */
  readonly outputRateBytes: number
}

/** Without a mount namespace a job's user must pass through directories that are not its own. */
export const directoryMode = ({ level, uids }: Pick<Confinement, "level" | "uids">) =>
  level === "basic" && uids !== undefined ? 0o711 : 0o700

export const scriptName = ({ fileExtension }: Interpreter) => `script.${fileExtension}`

/** The working directory of a job that has a /tmp of its own. */
export const workOfNamespace = "/tmp/work"
/** Where such a job finds the library of its interpreter. */
export const libraryOfNamespace = "/tmp/library"

/** NUL cannot be part of an argument, an environment variable or this format. */
export const isExpressible = ({ args, env }: JobSpec) =>
  args.every((arg) => !arg.includes("\0")) &&
  Object.entries(Redacted.value(env)).every(([name, value]) => /^[^=\0]+$/.test(name) && !value.includes("\0"))

/** `name=value` records, each ended by NUL, one more NUL, and the script. `directory` is where the job's directory will be. */
export const shimSpec = (
  confinement: Confinement,
  spec: JobSpec,
  interpreter: Interpreter,
  directory: string
): string => {
  const { diskReserveBytes, killGraceMillis, level, outputRateBytes, uids } = confinement
  const { limits } = spec
  const tmp = level === "namespace" ? "/tmp" : join(directory, "tmp")
  const env = {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    HOME: join(tmp, "work"),
    TMPDIR: tmp,
    ...interpreter.env(limits.memoryBytes),
    ...Redacted.value(spec.env)
  }
  const records = [
    ...(uids === undefined ? [] : [["firstUid", uids.first] as const, ["uids", uids.count] as const]),
    ["graceMillis", killGraceMillis],
    ["home", join(tmp, "work")],
    ["file", scriptName(interpreter)],
    ...(level === "namespace" ? [["ownIpc", 1] as const] : []),
    ...(level === "namespace" && interpreter.library !== undefined ? [["library", interpreter.library] as const] : []),
    ...(spec.waitForBackground === true ? [["waitForBackground", 1] as const] : []),
    ["timeoutMillis", limits.timeoutMillis],
    ["memoryBytes", limits.memoryBytes],
    // Only a backstop against one huge allocation: interpreters reserve more than they use.
    ["dataBytes", 2 * limits.memoryBytes + interpreter.reservedBytes],
    ["cpuMillis", limits.cpuMillis],
    ["processes", limits.processes],
    ["processesOf", processesOf(confinement)],
    ["diskBytes", limits.diskBytes],
    ["reserveBytes", diskReserveBytes],
    ["fileSizeBytes", limits.fileSizeBytes],
    ["openFiles", limits.openFiles],
    ["outputBytes", limits.outputBytes],
    ["tailBytes", tailBytesOf(limits.outputBytes)],
    ["rateBytes", outputRateBytes],
    ...[...interpreter.command(limits.memoryBytes), scriptName(interpreter), ...spec.args].map((word) => [
      "argv",
      word
    ]),
    ...Object.entries(env).map(([name, value]) => ["env", `${name}=${value}`]),
    ...hiddenElsewhere(confinement).map((path) => ["hidden", path]),
    ...(level === "namespace" ? confinement.shared.map((path) => ["shared", path]) : []),
    ...(level === "basic" && uids !== undefined ? confinement.cleared.map((path) => ["cleared", path]) : [])
  ]
  return `${records.map(([name, value]) => `${name}=${value}\0`).join("")}\0${interpreter.needsUnixLines ? spec.script.replaceAll("\r\n", "\n") : spec.script}`
}

/**
 * Whose processes the kernel counts with those of the job, as it limits them by user: `job` when it has a user to itself,
 * `namespace` when the user has only the shim besides, `host` when it has everything the host runs, and `root` is not limited.
 */
const processesOf = ({ hostIsRoot, level, uids }: Confinement) => {
  if (uids !== undefined) return "job"
  if (hostIsRoot) return "root"
  return level === "namespace" ? "namespace" : "host"
}

/** Where a job has a folder of its own at level `namespace`, so that what the machine has below is out of sight. */
export const ownFolders = ["/tmp", "/var/tmp"]

const hiddenElsewhere = ({ hidden, level }: Confinement) =>
  level === "namespace" ? hidden.filter((path) => !ownFolders.some((own) => `${path}/`.startsWith(`${own}/`))) : []
