/**
 * Writes values of a schema as they stand on the wire, without the schema at run time: it is read once and becomes plain functions. Nothing is
 * checked, so this is for values that the compiler has checked; members that the schema does not name are left out all the same.
 */
import { DateTime, Predicate, SchemaAST, String as Text } from "effect"

/** From a value to what `JSON.stringify` is to write. */
export type Writer = (value: unknown) => unknown

/** Of the AST of a JSON codec. `encoder` makes writers for the rare rest, by the schema itself. */
export const writerOf = (ast: SchemaAST.AST, encoder: (ast: SchemaAST.AST) => Writer): Writer => {
  const writer = (part: SchemaAST.AST) => writerOf(part, encoder)
  if (ast.encoding !== undefined) return writerOfEncoded(ast, encoder)
  if (SchemaAST.isUnion(ast)) return ofUnion(ast.types, writer) ?? encoder(ast)
  if (SchemaAST.isArrays(ast)) {
    const [item, ...more] = ast.rest
    return item === undefined || more.length > 0 || ast.elements.length > 0 ? encoder(ast) : ofList(writer(item))
  }
  if (SchemaAST.isObjects(ast)) return ofObject(ast, writer) ?? encoder(ast)
  return isPlain(ast) ? asItIs : encoder(ast)
}

const asItIs: Writer = (value) => value

const isPlain = (ast: SchemaAST.AST) =>
  SchemaAST.isString(ast) ||
  SchemaAST.isNumber(ast) ||
  SchemaAST.isBoolean(ast) ||
  SchemaAST.isNull(ast) ||
  SchemaAST.isLiteral(ast)

/** Moments, and classes, whose members are read as those of any object. */
const writerOfEncoded = (ast: SchemaAST.AST, encoder: (ast: SchemaAST.AST) => Writer): Writer => {
  const [link, ...more] = ast.encoding ?? []
  if (link === undefined || more.length > 0 || !SchemaAST.isDeclaration(ast)) return encoder(ast)
  if (Predicate.hasProperty(ast.annotations?.["representation"], "id")) {
    const isMoment = ast.annotations["representation"].id === "effect/schema/DateTimeUtc"
    return isMoment && SchemaAST.isString(link.to) && link.to.encoding === undefined ? isoText : encoder(ast)
  }
  return ast.annotations?.["~constructor"] === undefined ? encoder(ast) : writerOf(link.to, encoder)
}

const isoText: Writer = (value) => (DateTime.isDateTime(value) ? DateTime.formatIso(value) : value)

const ofList =
  (item: Writer): Writer =>
  (value) =>
    item === asItIs || !Array.isArray(value) ? value : value.map(item)

/** None when a value does not tell cheaply which of them it is. */
const ofUnion = (types: ReadonlyArray<SchemaAST.AST>, writer: (ast: SchemaAST.AST) => Writer): Writer | undefined => {
  const writers = types.filter((type) => !SchemaAST.isNull(type)).map(writer)
  if (writers.every((each) => each === asItIs)) return asItIs
  const [only, ...more] = writers
  return only === undefined || more.length > 0 ? undefined : (value) => (value === null ? null : only(value))
}

const ofObject = (ast: SchemaAST.Objects, writer: (ast: SchemaAST.AST) => Writer): Writer | undefined => {
  const [record, ...more] = ast.indexSignatures
  if (record !== undefined)
    return more.length > 0 || ast.propertySignatures.length > 0 || record.parameter.encoding !== undefined
      ? undefined
      : ofRecord(writer(record.type))
  const members = ast.propertySignatures.map(({ name, type }) => {
    const key = String(name)
    return { key, wireKey: Text.camelToSnake(key), write: writer(type) }
  })
  return (value) => {
    if (!Predicate.isObject(value)) return value
    const out: Record<string, unknown> = {}
    for (const { key, wireKey, write } of members) {
      if (key in value) out[wireKey] = write(value[key])
    }
    return out
  }
}

const ofRecord =
  (write: Writer): Writer =>
  (value) => {
    if (write === asItIs || !Predicate.isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, write(member)]))
  }
