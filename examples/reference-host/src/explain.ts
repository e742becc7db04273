/** Says on standard error why the command failed: a sentence for what a person can mend, the cause for what is a bug. */
import { StorageError } from "@fairlead/core/storage/StorageError"
import { ListenFailed } from "@fairlead/http/node/NodeHost"
import { DatabaseUnsuitable, unsuitable } from "@fairlead/postgres/DatabaseUnsuitable"
import { Cause, Console, Effect, Predicate } from "effect"
import { CliError } from "effect/cli"
import { KeyFileUnusable } from "./KeyFiles.ts"

export const explain = <E>(cause: Cause.Cause<E>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error: unknown = Cause.squash(cause)
  // The command line has told the person already.
  if (CliError.isCliError(error)) return Effect.void
  return Console.error(`fairlead: ${sentence(error) ?? Cause.pretty(cause)}`)
}

const sentence = (error: unknown): string | undefined => {
  if (Predicate.isTagged(error, "ConfigurationInvalid") && Predicate.hasProperty(error, "problems"))
    return `the configuration is not valid:\n  ${String(error.problems).replaceAll(".,", ".\n  ")}`
  if (error instanceof ListenFailed)
    return `cannot listen on ${error.host} port ${error.port}: ${listenHint(error.cause)}`
  if (error instanceof KeyFileUnusable)
    return `the key file ${error.path} cannot be read or written: ${reasonOf(error.cause)}. Mend that, or set FAIRLEAD_DATA_DIR.`
  if (Predicate.isTagged(error, "DataDirectoryLocked") && error instanceof Error)
    return `${error.message}: stop that process first.`
  if (Predicate.isTagged(error, "NothingToVerify") && Predicate.hasProperty(error, "reason")) return `${error.reason}.`
  if (Predicate.isTagged(error, "InvariantsBroken") && Predicate.hasProperty(error, "violations"))
    return `${error.violations} violations in ${Predicate.hasProperty(error, "read") ? error.read : ""}.`
  if (Predicate.isTagged(error, "TablesDiffer") && Predicate.hasProperty(error, "found"))
    return error.found === 0
      ? "the database has no tables of Fairlead."
      : "the tables of the database are of another version: use the `fairlead` of that version, or start this one as a host once."
  if (Predicate.isTagged(error, "ProcessRuntimeUnavailable") && Predicate.hasProperty(error, "detail"))
    return `the process runtime cannot run here: ${String(error.detail).replaceAll("\n", " ")}. ${remedyOf(error)}`
  if (error instanceof StorageError) return sentence(unsuitable(error))
  if (error instanceof DatabaseUnsuitable) return `the database cannot be used: ${error.message}`
  return undefined
}

/** By the reason of `ProcessRuntimeUnavailable`. */
const remedies: Readonly<Record<string, string>> = {
  user: "Start the host as root, which gives each script a user of its own; or set FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER=on, or FAIRLEAD_PROCESS_RUNTIME=off.",
  uids: "Set FAIRLEAD_PROCESS_UIDS to a range that nobody uses.",
  python: "Set FAIRLEAD_PROCESS_PYTHON to a Python or a virtual environment that scripts can run, or leave it out.",
  directory: "Mend that, or set FAIRLEAD_DATA_DIR.",
  shim: "Mend that, or set FAIRLEAD_PROCESS_RUNTIME=off."
}
const remedyOf = (error: unknown) =>
  (Predicate.hasProperty(error, "reason") ? remedies[String(error.reason)] : undefined) ?? remedies["shim"]

const codeOf = (cause: unknown) => (Predicate.hasProperty(cause, "code") ? String(cause.code) : "")

const listenHints: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program uses it. Set FAIRLEAD_PORT.",
  EACCES: "the host's user may not use it. Set FAIRLEAD_PORT to 1024 or more.",
  EADDRNOTAVAIL: "this machine has no such address. Set FAIRLEAD_HOST."
}
const listenHint = (cause: unknown) =>
  listenHints[codeOf(cause)] ?? `${String(cause)}. Set FAIRLEAD_HOST or FAIRLEAD_PORT.`

/** The operating system's own words, at the bottom of what a file system call failed with. */
const reasonOf = (cause: unknown): string => {
  const inner = Predicate.hasProperty(cause, "reason")
    ? cause.reason
    : Predicate.hasProperty(cause, "cause")
      ? cause.cause
      : undefined
  if (inner !== undefined) return reasonOf(inner)
  return cause instanceof Error ? cause.message : String(cause)
}
