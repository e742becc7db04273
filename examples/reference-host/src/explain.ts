/** Says on standard error why the command failed: a sentence for what a person can mend, the cause for what is a bug. */
import { StorageError } from "@fairlead/core/storage/StorageError"
import { DatabaseUnsuitable, unsuitable } from "@fairlead/postgres/DatabaseUnsuitable"
import { Cause, Console, Effect, Predicate } from "effect"
import { CliError } from "effect/cli"

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
  if (Predicate.isTagged(error, "ListenFailed") && Predicate.hasProperty(error, "port"))
    return `cannot listen on port ${error.port}: is another program using it? Set FAIRLEAD_PORT.`
  if (Predicate.isTagged(error, "DataDirectoryLocked") && error instanceof Error)
    return `${error.message}: stop that process first.`
  if (Predicate.isTagged(error, "NothingToVerify") && Predicate.hasProperty(error, "reason")) return `${error.reason}.`
  if (Predicate.isTagged(error, "InvariantsBroken") && Predicate.hasProperty(error, "breaches"))
    return `${error.breaches} breaches in ${Predicate.hasProperty(error, "read") ? error.read : ""}.`
  if (Predicate.isTagged(error, "TablesDiffer") && Predicate.hasProperty(error, "found"))
    return error.found === 0
      ? "the database has no tables of Fairlead."
      : "the tables of the database are of another version: use the `fairlead` of that version, or start this one as a host once."
  if (Predicate.isTagged(error, "ProcessRuntimeUnavailable") && Predicate.hasProperty(error, "detail"))
    return `the process runtime cannot run here: ${error.detail}`
  if (error instanceof StorageError) return sentence(unsuitable(error))
  if (error instanceof DatabaseUnsuitable) return `the database cannot be used: ${error.problem}. ${error.remedy}`
  return undefined
}
