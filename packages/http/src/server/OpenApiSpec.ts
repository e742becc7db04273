/**
 * The published document. Effect describes query and path values as the strings they are on the wire; clients want the decoded
 * type. Adds the permission of each operation, headers, examples, and the second spellings, marked deprecated.
 */
import { Context, Predicate, Schema } from "effect"
import { HttpApi, type HttpApiEndpoint, type HttpApiGroup, OpenApi } from "effect/http-api"
import { Authentication, accessCookie, credentialsOf, csrfCookie, RequiredPermission } from "../api/Access.ts"
import { HttpStatuses } from "../api/HttpStatuses.ts"
import type { CookieNames } from "./auth/SessionCookies.ts"
import { exampleOf } from "./internal/exampleOf.ts"
import type { Answer, JsonSchema, MediaType, Operation, Paths, Schemas } from "./internal/openApiDocument.ts"
import { plain, withoutNull } from "./internal/plainSchema.ts"
import { shareAnswers } from "./internal/sharedAnswers.ts"

/** Where clients find an API, and what its cookies are called there. */
export interface DocumentPlace {
  readonly publicPath: string
  readonly cookies: CookieNames
}

/** Of an API at the root of its server. Equal arguments give equal text. */
export const make = <Id extends string, G extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, G>,
  aliases: Readonly<Record<string, string>>
) => {
  const spec = OpenApi.fromApi(api)
  const securitySchemes = credentialsOf(accessCookie, csrfCookie)
  const { paths, schemas } = withOpenAnswers(
    JSON.parse(JSON.stringify(spec.paths), revived),
    JSON.parse(JSON.stringify(spec.components.schemas), revived)
  )

  HttpApi.reflect(api, {
    onGroup() {},
    onEndpoint({ endpoint }) {
      const operation = paths[braces(endpoint.path)]?.[endpoint.method.toLowerCase()]
      if (operation === undefined) return
      const permission = Context.getOrUndefined(endpoint.annotations, RequiredPermission)
      if (permission !== undefined) operation["x-permission"] = permission
      if (endpoint.middlewares.has(Authentication))
        operation.security = Object.keys(securitySchemes).map((name) => ({ [name]: [] }))
      typeParameters(operation, endpoint)
      dropImpossible(operation)
      addCsrfHeader(operation, endpoint.method)
      addStatuses(operation, Context.get(endpoint.annotations, HttpStatuses))
      for (const [status, answer] of Object.entries(operation.responses)) complete(answer, status, schemas)
      if (operation.requestBody !== undefined) settleBody(operation.requestBody, schemas)
    }
  })
  addAliases(paths, aliases)
  const responses = shareAnswers(paths)

  return {
    ...spec,
    servers: serversAt("/"),
    components: { ...spec.components, securitySchemes, schemas, responses, headers: sharedHeaders },
    paths
  }
}

/** The same document for an API that is mounted elsewhere. */
export const at = (spec: ReturnType<typeof make>, { cookies, publicPath }: DocumentPlace): ReturnType<typeof make> => ({
  ...spec,
  servers: serversAt(publicPath === "" ? "/" : publicPath),
  components: { ...spec.components, securitySchemes: credentialsOf(cookies.access, cookies.csrf) }
})

const serversAt = (url: string) => [{ url, description: "The host that serves this document." }]

const sharedHeaders = {
  RequestId: {
    description:
      "Names this request in our logs. Yours, when you sent a printable `X-Request-Id` of at most 128 characters.",
    schema: { type: "string" }
  },
  RetryAfter: { description: "Seconds after which trying again makes sense.", schema: { type: "integer" } },
  Authenticate: { description: "How to log in.", schema: { type: "string", enum: ["Bearer"] } }
}
const header = (name: keyof typeof sharedHeaders) => ({ $ref: `#/components/headers/${name}` })

const braces = (path: string) => path.replace(/:(\w+)(\([^)]*\))?/g, "{$1}")

/** Bodies of requests hold what they name and nothing else. Answers may come with more one day. */
const withOpenAnswers = (paths: Paths, schemas: Schemas): { readonly paths: Paths; readonly schemas: Schemas } => {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const asked = reachable(
    operations.map(({ requestBody }) => requestBody),
    schemas
  )
  const answered = reachable(
    operations.map(({ responses }) => responses),
    schemas
  )
  for (const operation of operations) operation.responses = opened(operation.responses)
  const all = Object.entries(schemas).map(([name, schema]) => [
    name,
    asked.has(name) && !answered.has(name) ? schema : opened(schema)
  ])
  return { paths, schemas: Object.fromEntries(all) }
}

const opened = <A>(part: A): A =>
  JSON.parse(JSON.stringify(part), (key, value) =>
    key === "additionalProperties" && value === false ? undefined : value
  )

/** Names of the schemas that a part of the document refers to, through others too. */
const reachable = (part: unknown, schemas: Schemas, found = new Set<string>()): ReadonlySet<string> => {
  for (const [, name = ""] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (found.has(name)) continue
    found.add(name)
    reachable(schemas[name] ?? {}, schemas, found)
  }
  return found
}

const revived = (_key: string, value: unknown) =>
  Predicate.isObject(value) && !Array.isArray(value) ? plain(value) : value

/** A body that may be absent is not required; `null` stands for that in the contract, and nobody sends it. */
const settleBody = (body: NonNullable<Operation["requestBody"]>, schemas: Schemas) => {
  for (const media of Object.values(body.content)) {
    const { nullable, schema } = withoutNull(media.schema)
    media.schema = schema
    if (nullable) body.required = false
    addExample(media, schemas)
  }
  shareForm(body.content, schemas)
}

/** A form with the members of the JSON is the same type: generators make none of forms, and use it nevertheless. */
const shareForm = (content: Record<string, MediaType>, schemas: Schemas) => {
  const form = content["application/x-www-form-urlencoded"]
  const [name, own] = [form, content["application/json"]].map((media) => media?.schema.$ref?.split("/").at(-1) ?? "")
  if (form === undefined || !name || !own || JSON.stringify(schemas[name]) !== JSON.stringify(schemas[own])) return
  form.schema = { $ref: `#/components/schemas/${own}` }
  delete schemas[name]
}

const typeParameters = (operation: Operation, endpoint: HttpApiEndpoint.Top) => {
  for (const [where, schema] of [
    ["query", endpoint.query],
    ["path", endpoint.params],
    ["header", endpoint.headers]
  ] as const) {
    if (schema === undefined) continue
    const document: { readonly schema: JsonSchema; readonly definitions: Schemas } = JSON.parse(
      JSON.stringify(Schema.toJsonSchemaDocument(Schema.toType(schema)))
    )
    for (const parameter of operation.parameters.filter((p) => p.in === where)) {
      const declared = document.schema.properties?.[parameter.name]
      const type = declared?.anyOf?.find((member) => member.type !== "null") ?? declared
      if (type !== undefined && ["integer", "number", "boolean"].includes(`${type.type}`)) parameter.schema = type
      if (type?.type === "array" && typeof type.items === "object")
        parameter.schema = {
          ...parameter.schema,
          items: document.definitions[type.items.$ref?.split("/").at(-1) ?? ""] ?? type.items
        }
    }
  }
}

/** A part looks as the whole does; what the caller has comes without a body. */
const addStatuses = ({ responses }: Operation, statuses: Readonly<Record<string, string>>) => {
  for (const [status, description] of Object.entries(statuses))
    responses[status] = status === "304" ? { description } : { ...structuredClone(responses["200"]), description }
}

/** Every endpoint may be refused in every way as far as the builder knows; most cannot. */
const dropImpossible = ({ parameters, requestBody, responses }: Operation) => {
  if (requestBody === undefined) for (const status of ["400", "413", "415"]) drop(responses, status)
  if (!parameters.some((parameter) => parameter.in === "path")) drop(responses, "404")
  if (requestBody === undefined && parameters.length === 0) drop(responses, "422")
}
/** An answer that an endpoint declares itself stays: only what `CommonErrors` alone brought goes. */
const drop = (responses: Record<string, Answer>, status: string) => {
  const schema = responses[status]?.content?.["application/problem+json"]?.schema
  if (schema !== undefined && (schema.anyOf ?? [schema]).every(({ $ref }) => rejections.test($ref ?? "")))
    delete responses[status]
}

const rejections = /\/(MalformedBody|BodyTooDeep|NotFound|BodyTooLarge|UnsupportedMediaType|RequestInvalid)Problem$/

const addCsrfHeader = (operation: Operation, method: string) => {
  if (method === "GET" || !operation.security.some((scheme) => "cookie" in scheme)) return
  operation.parameters.push({
    name: "X-CSRF-Token",
    in: "header",
    required: false,
    description:
      "The `csrf_token` of a login, which a cookie holds too. Needed when the cookie is the only credential.",
    schema: { type: "string" }
  })
}

const complete = (answer: Answer, status: string, schemas: Schemas) => {
  answer.headers = { ...answer.headers, "X-Request-Id": header("RequestId") }
  if (status === "401") answer.headers["WWW-Authenticate"] = header("Authenticate")
  for (const [contentType, media] of Object.entries(answer.content ?? {})) {
    const problems = contentType === "application/problem+json" ? membersOf(media.schema, schemas) : []
    if (problems.some(({ properties }) => properties?.["retry_after_seconds"] !== undefined))
      answer.headers["Retry-After"] = header("RetryAfter")
    if (problems.length > 0)
      answer.description = problems.map(({ properties }) => properties?.["title"]?.enum?.[0]).join(" | ")
    delete media["x-effect-stream"]
    if (problems.length === 0) addExample(media, schemas)
  }
}

const membersOf = (schema: JsonSchema, schemas: Schemas): ReadonlyArray<JsonSchema> =>
  (schema.anyOf ?? [schema]).map((member) => schemas[member.$ref?.split("/").at(-1) ?? ""] ?? member)

const addExample = (media: MediaType, schemas: Schemas) => {
  media.example ??= exampleOf(media.schema, schemas)
}

const addAliases = (paths: Paths, aliases: Readonly<Record<string, string>>) => {
  const taken = new Map<string, number>()
  for (const [from, to] of Object.entries(aliases)) {
    const [spelled = "", path = ""] = from.split(" ")
    const method = spelled.toLowerCase()
    const operation = paths[braces(to.split(" ")[1] ?? "")]?.[method]
    if (operation === undefined) continue
    const number = (taken.get(operation.operationId) ?? 0) + 1
    taken.set(operation.operationId, number)
    const alias = {
      ...operation,
      operationId: `${operation.operationId}.alias${number === 1 ? "" : number}`,
      description: `Another spelling of \`${to}\`. ${operation.description ?? ""}`.trim(),
      deprecated: true
    }
    paths[braces(path)] = { ...paths[braces(path)], [method]: alias }
  }
}
