/** One environment variable of the host: how it is parsed, what applies without it, and what it is for. */
import { Config, type Option, type Redacted, Schema } from "effect"

export interface Setting<A> {
  readonly config: Config.Config<A>
  readonly about: string
  /** What applies when the variable is not set, in words. */
  readonly default: string
}

export const setting = <A>(config: Config.Config<A>, fallback: string, about: string): Setting<A> => ({
  config,
  default: fallback,
  about
})

const between = (minimum: number, maximum: number) =>
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum }))

export const integer = (name: string, range: readonly [number, number], fallback: number, about: string) =>
  setting(
    Config.schema(between(...range), name).pipe(Config.withDefault(fallback)),
    `${fallback}`,
    `${about} ${range[0]} to ${range[1]}.`
  )

export const optionalInteger = (name: string, range: readonly [number, number], about: string) =>
  setting(Config.option(Config.schema(between(...range), name)), "no limit", `${about} ${range[0]} to ${range[1]}.`)

export const choice = <const L extends ReadonlyArray<string>>(
  name: string,
  choices: L,
  fallback: L[number],
  about: string
): Setting<L[number]> =>
  setting(
    Config.Literals(choices, name).pipe(Config.withDefault(fallback)),
    fallback,
    `${about} One of ${choices.join(", ")}.`
  )

export const onOff = (name: string, fallback: "on" | "off", about: string) =>
  choice(name, ["on", "off"], fallback, about)

export const text = (name: string, fallback: string, about: string) =>
  setting(Config.NonEmptyString(name).pipe(Config.withDefault(fallback)), fallback, about)

/** Text of a form that the schema knows. */
export const formed = (name: string, form: Schema.Codec<string>, fallback: string, about: string) =>
  setting(Config.schema(form, name).pipe(Config.withDefault(fallback)), fallback, about)

export const optional = (name: string, fallback: string, about: string) =>
  setting(Config.option(Config.NonEmptyString(name)), fallback, about)

/** Of a form that the text about it tells. */
export const optionalFormed = (name: string, form: RegExp, fallback: string, about: string) =>
  setting(Config.option(Config.schema(Schema.String.check(Schema.isPattern(form)), name)), fallback, about)

export const secret = (name: string, fallback: string, about: string): Setting<Option.Option<Redacted.Redacted>> =>
  setting(Config.option(Config.Redacted(name)), fallback, about)

export const list = (name: string, about: string) =>
  setting(
    Config.Array(Schema.NonEmptyString, name).pipe(Config.withDefault([])),
    "none",
    `${about} Separated by commas.`
  )
