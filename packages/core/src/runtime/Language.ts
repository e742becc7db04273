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

const otherNames: Readonly<Record<string, string>> = {
  golang: "go",
  js: "javascript",
  nodejs: "node",
  pl: "perl",
  py: "python",
  python3: "python",
  rb: "ruby",
  sh: "bash",
  shell: "bash",
  ts: "typescript"
}

/** The name under which runtimes offer a language that people call `py`, `Bash` or `sh`; an unknown name in lower case. */
export const languageNamed = (name: string): string => {
  const plain = name.toLowerCase()
  return Object.hasOwn(otherNames, plain) ? (otherNames[plain] ?? plain) : plain
}

/** The version that is meant when none is asked for: the newest, but 3.11 of Python, as clients of the documented systems know it. */
export const versionWhenAbsent = (language: string): string =>
  languageNamed(language) === "python" ? "3.11" : "latest"

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
