/**
 * Reads rows that this adapter wrote, many times faster than their schema: kinds are looked at, texts become moments, objects become instances,
 * and finer rules are taken as kept. Whatever looks otherwise is left to the schema, which knows how older versions wrote and says what is wrong.
 */
import { DateTime, Effect, Option, Predicate, Schema, SchemaAST } from "effect"
import { jsonText, restore } from "./jsonText.ts"

/** From parsed JSON to the value; `undefined` if the schema has to look. */
type Revive = (json: unknown) => unknown

interface ModelClass<A> extends Schema.ConstraintDecoder<A> {
  readonly identifier: string
  readonly prototype: A
  new (...args: never): A
}

/** From the text of a `jsonb` value to `model`. `parts`: the classes inside of it. */
export const reviver = <A extends object>(model: ModelClass<A>, parts: ReadonlyArray<ModelClass<object>> = []) => {
  const prototypes = new Map([model, ...parts].map(({ identifier, prototype }) => [identifier, prototype]))
  const revive = reviveOf(Schema.toCodecJson(model).ast, prototypes)
  const decode = Schema.decodeUnknownEffect(jsonText(model))
  const isModel = (value: unknown): value is A => value instanceof model
  return (text: unknown): Effect.Effect<A, Schema.SchemaError> => {
    const value = typeof text === "string" ? revive?.(parsed(text)) : undefined
    return isModel(value) ? Effect.succeed(value) : decode(text)
  }
}

/** What is no JSON is left to the schema too. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(restore(text))
  } catch {
    return undefined
  }
}

/** None where the schema has parts that are unknown here. */
const reviveOf = (ast: SchemaAST.AST, prototypes: ReadonlyMap<string, object>): Revive | undefined => {
  const inner = (part: SchemaAST.AST) => reviveOf(part, prototypes)
  if (ast.encoding !== undefined) return ofEncoded(ast, ast.encoding, prototypes)
  if (SchemaAST.isString(ast)) return (json) => (typeof json === "string" ? json : undefined)
  if (SchemaAST.isNumber(ast)) return number
  if (SchemaAST.isBoolean(ast)) return (json) => (typeof json === "boolean" ? json : undefined)
  if (SchemaAST.isNull(ast)) return (json) => (json === null ? null : undefined)
  if (SchemaAST.isLiteral(ast)) return (json) => (json === ast.literal ? json : undefined)
  if (SchemaAST.isUnion(ast)) return ofUnion(ast.types.map(inner))
  if (SchemaAST.isArrays(ast)) {
    const [item, ...more] = ast.rest
    return item === undefined || more.length > 0 || ast.elements.length > 0 ? undefined : ofList(inner(item))
  }
  if (!SchemaAST.isObjects(ast)) return undefined
  const [record, ...more] = ast.indexSignatures
  if (record === undefined) return ofObject(ast.propertySignatures, inner)
  return more.length > 0 || ast.propertySignatures.length > 0 ? undefined : ofRecord(inner(record.type))
}

const number: Revive = (json) => (typeof json === "number" ? json : undefined)

/** Classes, moments, and members with a default. */
const ofEncoded = (
  ast: SchemaAST.AST,
  [link, ...more]: SchemaAST.Encoding,
  prototypes: ReadonlyMap<string, object>
): Revive | undefined => {
  if (more.length > 0) return undefined
  // A member that older rows lack, and the schema has a default for.
  if (SchemaAST.isNumber(ast) && SchemaAST.isNumber(link.to) && SchemaAST.isOptional(link.to)) return number
  if (!SchemaAST.isDeclaration(ast)) return undefined
  const { identifier, representation } = ast.annotations ?? {}
  if (Predicate.hasProperty(representation, "id") && representation.id === "effect/schema/DateTimeUtc")
    return SchemaAST.isString(link.to) ? moment : undefined
  const prototype = prototypes.get(String(identifier))
  const members = prototype === undefined ? undefined : reviveOf(link.to, prototypes)
  if (prototype === undefined || members === undefined) return undefined
  return (json) => {
    const value = members(json)
    return value === undefined ? undefined : Object.assign(Object.create(prototype), value)
  }
}

const moment: Revive = (json) =>
  typeof json === "string" ? Option.getOrUndefined(Option.map(DateTime.make(json), DateTime.toUtc)) : undefined

/** The first that takes the value. */
const ofUnion = (types: ReadonlyArray<Revive | undefined>): Revive | undefined => {
  const known = types.filter((type) => type !== undefined)
  if (known.length < types.length) return undefined
  return (json) => {
    for (const type of known) {
      const value = type(json)
      if (value !== undefined) return value
    }
    return undefined
  }
}

const ofList = (item: Revive | undefined): Revive | undefined =>
  item &&
  ((json) => {
    if (!Array.isArray(json)) return undefined
    const items = json.map(item)
    return items.includes(undefined) ? undefined : items
  })

const ofRecord = (member: Revive | undefined): Revive | undefined =>
  member &&
  ((json) => {
    if (!Predicate.isObject(json) || Array.isArray(json)) return undefined
    const entries = Object.entries(json).map(([key, value]) => [key, member(value)] as const)
    return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries)
  })

/** Members that the schema does not name are left out. */
const ofObject = (
  signatures: ReadonlyArray<SchemaAST.PropertySignature>,
  inner: (ast: SchemaAST.AST) => Revive | undefined
): Revive | undefined => {
  const members: Array<{ readonly key: string; readonly revive: Revive; readonly isOptional: boolean }> = []
  for (const { name, type } of signatures) {
    const revive = inner(type)
    if (revive === undefined) return undefined
    members.push({ key: String(name), revive, isOptional: SchemaAST.isOptional(type) })
  }
  return (json) => {
    if (!Predicate.isObject(json) || Array.isArray(json)) return undefined
    const out: Record<string, unknown> = {}
    for (const { isOptional, key, revive } of members) {
      const member = json[key]
      if (member === undefined && isOptional) continue
      const value = member === undefined ? undefined : revive(member)
      if (value === undefined) return undefined
      out[key] = value
    }
    return out
  }
}
