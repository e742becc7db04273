/** The runtimes of this instance. An adapter's layer registers itself here; callers choose by kind or by language. */
import { Context, Effect, Layer, Option } from "effect"
import type { RuntimeKind } from "./Job.ts"
import { chooseVersion, languageNamed } from "./Language.ts"
import { LanguageUnsupported } from "./RuntimeError.ts"
import type { ScriptRuntime } from "./ScriptRuntime.ts"

export interface ChosenRuntime {
  readonly runtime: ScriptRuntime
  readonly language: string
  /** The version that will really run. */
  readonly languageVersion: string
  readonly fileExtension: string
}

export class ScriptRuntimes extends Context.Service<
  ScriptRuntimes,
  {
    /** Adds a runtime for the life of the instance. A second one of a kind replaces the first. */
    register(runtime: ScriptRuntime): Effect.Effect<void>
    /** In the order of registration. */
    readonly all: Effect.Effect<ReadonlyArray<ScriptRuntime>>
    find(kind: RuntimeKind): Effect.Effect<Option.Option<ScriptRuntime>>
    /** The first registered runtime that has the language, under this or its usual name, in a fitting version; `kind` restricts the choice. */
    choose(
      language: string,
      requestedVersion: string,
      kind?: RuntimeKind
    ): Effect.Effect<ChosenRuntime, LanguageUnsupported>
  }
>()("@fairlead/core/runtime/ScriptRuntimes") {
  static readonly layer = Layer.sync(ScriptRuntimes, () => {
    const runtimes = new Map<RuntimeKind, ScriptRuntime>()
    const chosen = (name: string, requestedVersion: string, kind: RuntimeKind | undefined) => {
      for (const runtime of runtimes.values()) {
        if (kind !== undefined && runtime.kind !== kind) continue
        const language = runtime.languages.find((candidate) => candidate.name === name)
        const languageVersion = language === undefined ? undefined : chooseVersion(language, requestedVersion)
        if (language !== undefined && languageVersion !== undefined)
          return { runtime, language: name, languageVersion, fileExtension: language.fileExtension }
      }
      return undefined
    }
    return ScriptRuntimes.of({
      register: (runtime) => Effect.sync(() => void runtimes.set(runtime.kind, runtime)),
      all: Effect.sync(() => [...runtimes.values()]),
      find: (kind) => Effect.sync(() => Option.fromUndefinedOr(runtimes.get(kind))),
      choose: Effect.fnUntraced(function* (language, requestedVersion, kind) {
        const found =
          chosen(language, requestedVersion, kind) ?? chosen(languageNamed(language), requestedVersion, kind)
        if (found !== undefined) return found
        const supported = [...runtimes.values()].flatMap((runtime) => runtime.languages)
        return yield* new LanguageUnsupported({
          language,
          requestedVersion,
          supported: Object.fromEntries(supported.map(({ name, versions }) => [name, versions]))
        })
      })
    })
  })
}
