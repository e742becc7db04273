/** JSON Schemas in the words that generators and testers of other languages know too. What they say stays the same. */
import type { JsonSchema } from "./openApiDocument.ts"

/** For `JSON.parse` or a walk over a document: takes one schema, whose members are plain already. */
export const plain = (schema: JsonSchema): JsonSchema => namedMembers(repeatedItems(wholeNumbers(schema)))

/** A choice of whole numbers, such as a status, is one of integers. */
const wholeNumbers = (schema: JsonSchema): JsonSchema =>
  schema.type === "number" && schema.enum?.every(Number.isInteger) === true ? { ...schema, type: "integer" } : schema

/** A list of at least one is `items` with `minItems`; as a tuple with a rest it is a type that few can spell. */
const repeatedItems = ({ prefixItems, ...schema }: JsonSchema): JsonSchema => {
  if (prefixItems === undefined) return schema
  const kinds = new Set([...prefixItems, ...(typeof schema.items === "object" ? [schema.items] : [])].map(textOf))
  return kinds.size === 1 ? schema : { ...schema, prefixItems }
}
const textOf = (schema: JsonSchema) => JSON.stringify(schema)

/** A record whose names follow one rule is a map from names to values for most tools, if it says so. */
const namedMembers = ({ patternProperties, ...schema }: JsonSchema): JsonSchema => {
  if (patternProperties === undefined) return schema
  const [[pattern, additionalProperties] = ["", {}], ...others] = Object.entries(patternProperties)
  return others.length === 0
    ? { ...schema, additionalProperties, propertyNames: { pattern } }
    : { ...schema, patternProperties }
}

/** Nothing at all, where a value may be missing: the other choice, and whether there was such a one. */
export const withoutNull = (schema: JsonSchema): { readonly schema: JsonSchema; readonly nullable: boolean } => {
  const choices = schema.anyOf?.filter(({ type }) => type !== "null") ?? []
  if (schema.anyOf === undefined || choices.length === schema.anyOf.length) return { schema, nullable: false }
  const [only, ...more] = choices
  return { schema: only !== undefined && more.length === 0 ? only : { ...schema, anyOf: choices }, nullable: true }
}
