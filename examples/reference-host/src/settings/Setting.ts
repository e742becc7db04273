/** One environment variable of the host: how it is parsed, what applies without it, and what it is for. */
import { Config, type Option, type Redacted, Schema } from "effect"

export interface Setting<A> {
  readonly config: Config.Config<A>
  readonly about: string
  /** What applies when the variable is not set, in words. */
  readonly standard: string
}

export const setting = <A>(config: Config.Config<A>, standard: string, about: string): Setting<A> => ({
  config,
  standard,
  about
})

const between = (minimum: number, maximum: number) =>
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum }))

export const integer = (name: string, range: readonly [number, number], standard: number, about: string) =>
  setting(
    Config.schema(between(...range), name).pipe(Config.withDefault(standard)),
    `${standard}`,
    `${about} ${range[0]} to ${range[1]}.`
  )

export const optionalInteger = (name: string, range: readonly [number, number], about: string) =>
  setting(Config.option(Config.schema(between(...range), name)), "no limit", `${about} ${range[0]} to ${range[1]}.`)

export const choice = <const L extends ReadonlyArray<string>>(
  name: string,
  choices: L,
  standard: L[number],
  about: string
): Setting<L[number]> =>
  setting(
    Config.Literals(choices, name).pipe(Config.withDefault(standard)),
    standard,
    `${about} One of ${choices.join(", ")}.`
  )

export const onOff = (name: string, standard: "on" | "off", about: string) =>
  choice(name, ["on", "off"], standard, about)

export const text = (name: string, standard: string, about: string) =>
  setting(Config.NonEmptyString(name).pipe(Config.withDefault(standard)), standard, about)

/** Text of a form that the schema knows. */
export const formed = (name: string, form: Schema.Codec<string>, standard: string, about: string) =>
  setting(Config.schema(form, name).pipe(Config.withDefault(standard)), standard, about)

export const optional = (name: string, standard: string, about: string) =>
  setting(Config.option(Config.NonEmptyString(name)), standard, about)

/** Of a form that the text about it tells. */
export const optionalFormed = (name: string, form: RegExp, standard: string, about: string) =>
  setting(Config.option(Config.schema(Schema.String.check(Schema.isPattern(form)), name)), standard, about)

export const secret = (name: string, standard: string, about: string): Setting<Option.Option<Redacted.Redacted>> =>
  setting(Config.option(Config.Redacted(name)), standard, about)

export const list = (name: string, about: string) =>
  setting(
    Config.Array(Schema.NonEmptyString, name).pipe(Config.withDefault([])),
    "none",
    `${about} Separated by commas.`
  )
