/** What the keeper is told: the content of `spec`. Pure. */
import { join } from "node:path"
import type { JobSpec } from "@fairlead/core/runtime/Job"
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
  readonly killGraceMillis: number
}

/** Without a mount namespace a job's user must pass through directories that are not its own. */
export const directoryMode = ({ level, uids }: Pick<Confinement, "level" | "uids">) =>
  level === "basic" && uids !== undefined ? 0o711 : 0o700

export const scriptName = ({ fileExtension }: Interpreter) => `script.${fileExtension}`

/** The working directory of a job that has a /tmp of its own. */
export const workOfNamespace = "/tmp/work"

/** NUL cannot be part of an argument, an environment variable or this format. */
export const isExpressible = ({ args, env }: JobSpec) =>
  args.every((arg) => !arg.includes("\0")) &&
  Object.entries(Redacted.value(env)).every(([name, value]) => /^[^=\0]+$/.test(name) && !value.includes("\0"))

/** `name=value` records, each ended by NUL, one more NUL, and the script. `directory` is where the job's directory will be. */
export const keeperSpec = (
  confinement: Confinement,
  spec: JobSpec,
  interpreter: Interpreter,
  directory: string
): string => {
  const { killGraceMillis, level, uids } = confinement
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
    ["timeoutMillis", limits.timeoutMillis],
    ["memoryBytes", limits.memoryBytes],
    // Only a backstop against one huge allocation: interpreters reserve more than they use.
    ["dataBytes", 2 * limits.memoryBytes + interpreter.reservedBytes],
    ["cpuMillis", limits.cpuMillis],
    ["processes", limits.processes],
    ["processesOf", processesOf(confinement)],
    ["fileSizeBytes", limits.fileSizeBytes],
    ["openFiles", limits.openFiles],
    ["outputBytes", limits.outputBytes],
    ...[...interpreter.command(limits.memoryBytes), scriptName(interpreter), ...spec.args].map((word) => [
      "argv",
      word
    ]),
    ...Object.entries(env).map(([name, value]) => ["env", `${name}=${value}`]),
    ...hiddenElsewhere(confinement).map((path) => ["hidden", path])
  ]
  return `${records.map(([name, value]) => `${name}=${value}\0`).join("")}\0${interpreter.needsUnixLines ? spec.script.replaceAll("\r\n", "\n") : spec.script}`
}

/**
 * Whose processes the kernel counts with those of the job, as it limits them by user: `job` when it has a user to itself,
 * `namespace` when the user has only the keeper besides, `host` when it has everything the host runs, and `root` is not limited.
 */
const processesOf = ({ hostIsRoot, level, uids }: Confinement) => {
  if (uids !== undefined) return "job"
  if (hostIsRoot) return "root"
  return level === "namespace" ? "namespace" : "host"
}

/** A job has a /tmp of its own, so what is below /tmp is out of sight anyway. */
const hiddenElsewhere = ({ hidden, level }: Confinement) =>
  level === "namespace" ? hidden.filter((path) => path !== "/tmp" && !path.startsWith("/tmp/")) : []
