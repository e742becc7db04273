/** A language that a runtime can run, and the choice of a version. Pure. */
import { Schema } from "effect"

export const Language = Schema.Struct({
  /** As in requests: `python`, `node`, `bash`. */
  name: Schema.NonEmptyString,
  /** Real versions, newest first; at least one. */
  versions: Schema.NonEmptyArray(Schema.NonEmptyString),
  /** Of script files, without the dot. */
  fileExtension: Schema.NonEmptyString
})
export type Language = typeof Language.Type

/**
 * The version to run when `requested` is asked for: the same one, else the newest that it is a prefix of (`3.11` takes
 * 3.11.7), else the newest of the same major (`3.8` takes 3.11.7); `undefined` when there is none. `latest` takes the newest.
 */
export const chooseVersion = (language: Language, requested: string): string | undefined =>
  requested === "latest"
    ? language.versions[0]
    : (language.versions.find((version) => version === requested) ??
      language.versions.find((version) => version.startsWith(`${requested}.`)) ??
      language.versions.find((version) => majorOf(version) === majorOf(requested)))

const majorOf = (version: string) => version.split(".", 1)[0]
