/**
 * A value that fits a JSON Schema, for the examples of the document. The same schema gives the same value: an example, default or
 * first choice that the schema names, else what the property's name suggests.
 */
import type { JsonSchema, Schemas } from "./openApiDocument.ts"

const byName: Readonly<Record<string, unknown>> = {
  username: "alice",
  email: "alice@example.com",
  full_name: "Alice Example",
  password: "correct horse battery staple",
  password_confirm: "correct horse battery staple",
  current_password: "correct horse battery staple",
  new_password: "a better horse, a newer staple",
  new_password_confirm: "a better horse, a newer staple",
  script: "print('hello')",
  lang: "python",
  lang_version: "3.12",
  request_id: "0d2f6c1e-6f0b-4a56-9a52-5f0b1c8c3d10",
  detail: "What is the case, in a sentence.",
  error: "What is the case, in a sentence.",
  message: "Done",
  topology_kinds: [],
  name: "nightly"
}
const byFormat: Readonly<Record<string, unknown>> = {
  uuid: "019a7c1e-5b7a-7c3e-9d5f-2b1a4c8e6f10",
  "date-time": "2026-01-31T12:00:00.000Z",
  binary: ""
}
const deepest = 12

export const exampleOf = (schema: JsonSchema, schemas: Schemas, name = "", depth = 0): unknown => {
  if (depth > deepest) return null
  const inner = (next: JsonSchema, key = name) => exampleOf(next, schemas, key, depth + 1)
  if (schema.$ref !== undefined) return inner(schemas[schema.$ref.slice("#/components/schemas/".length)] ?? {})
  if (schema.examples?.[0] !== undefined) return schema.examples[0]
  if (schema.default !== undefined) return schema.default
  if (schema.enum !== undefined) return schema.enum[0]
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return inner(choices.find(({ type }) => type !== "null") ?? {})
  if (schema.contentSchema !== undefined) return JSON.stringify(inner(schema.contentSchema))
  const type = typeof schema.type === "object" ? schema.type[0] : schema.type
  if (type === "object") return objectOf(schema, inner)
  if (type === "array") return arrayOf(schema, inner)
  if (type === "integer" || type === "number") return schema.minimum ?? 1
  if (type === "boolean") return true
  if (type === "string") return textOf(schema, name)
  return type === undefined && schema.allOf !== undefined ? inner(schema.allOf[0] ?? {}) : null
}

const objectOf = (
  { additionalProperties, properties, required = [] }: JsonSchema,
  inner: (schema: JsonSchema, key: string) => unknown
) => {
  if (properties !== undefined)
    return Object.fromEntries(
      Object.entries(properties)
        .filter(([key, property]) => required.includes(key) || !isAnything(property))
        .map(([key, property]) => [key, inner(property, key)])
    )
  return typeof additionalProperties === "object" ? { name: inner(additionalProperties, "name") } : {}
}

/** A member that may be left out, and is accepted whatever it holds, shows nothing. */
const isAnything = ({ description: _, ...rules }: JsonSchema) => Object.keys(rules).length === 0

const arrayOf = ({ items, prefixItems }: JsonSchema, inner: (schema: JsonSchema) => unknown) =>
  prefixItems !== undefined ? prefixItems.map((item) => inner(item)) : typeof items === "object" ? [inner(items)] : []

const textOf = ({ format, minLength = 0 }: JsonSchema, name: string) => {
  const known = byFormat[format ?? ""] ?? byName[name]
  if (typeof known === "string" && known.length >= minLength) return known
  if (/(^|_)(at|time|timestamp)$/.test(name)) return byFormat["date-time"]
  if (/(^|_)id$/.test(name)) return byFormat["uuid"]
  return "text".padEnd(minLength, "x")
}
