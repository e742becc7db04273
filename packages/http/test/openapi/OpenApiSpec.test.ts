import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Authentication, Authorization, RequiredPermission } from "@fairlead/http/api/Access"
import { Api } from "@fairlead/http/api/Api"
import { CommonErrors } from "@fairlead/http/api/CommonErrors"
import { aliases } from "@fairlead/http/api/compat/Aliases"
import { version } from "@fairlead/http/api/Version"
import * as OpenApiSpec from "@fairlead/http/server/OpenApiSpec"
import { validate } from "@readme/openapi-parser"
import { Context, Effect } from "effect"
import { HttpApi, type HttpApiEndpoint } from "effect/http-api"
import type { JsonSchema } from "../../src/server/internal/openApiDocument.ts"

const endpoints: Array<{ readonly name: string; readonly endpoint: HttpApiEndpoint.Top }> = []
HttpApi.reflect(Api, {
  onGroup() {},
  onEndpoint: ({ endpoint, group }) =>
    void endpoints.push({ name: `${group.identifier}.${endpoint.identifier}`, endpoint })
})
const spec = OpenApiSpec.make(Api, aliases)
const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation }))
)
const braces = (path: string) => path.replace(/:(\w+)(\([^)]*\))?/g, "{$1}")
const lacking = (what: (found: (typeof operations)[number]["operation"]) => boolean) =>
  operations.filter(({ operation }) => !what(operation)).map(({ name }) => name)

describe("the contract", () => {
  it("declares a permission on every endpoint", () => {
    const missing = endpoints.filter(
      ({ endpoint }) => Context.getOrUndefined(endpoint.annotations, RequiredPermission) === undefined
    )
    assert.deepStrictEqual(
      missing.map(({ name }) => name),
      []
    )
  })

  it("checks callers on every endpoint that asks for a permission, and refusals on all", () => {
    const open = endpoints.filter(({ endpoint }) => {
      const asks = Context.getOrUndefined(endpoint.annotations, RequiredPermission) !== "public"
      const guarded = endpoint.middlewares.has(Authentication) && endpoint.middlewares.has(Authorization)
      return !endpoint.middlewares.has(CommonErrors) || (asks && !guarded)
    })
    assert.deepStrictEqual(
      open.map(({ name }) => name),
      ["health.metrics"]
    )
  })
})

describe("the OpenAPI document", () => {
  it.effect("is valid", () =>
    Effect.gen(function* () {
      const document = JSON.parse(JSON.stringify(spec))
      const result = yield* Effect.promise(() => validate(document))
      assert.deepStrictEqual(result, { valid: true, warnings: [], specification: "OpenAPI" })
    })
  )

  it("holds every route and every alias", () => {
    const documented = new Set(operations.map(({ name }) => name))
    const served = [...endpoints.map(({ endpoint }) => `${endpoint.method} ${endpoint.path}`), ...Object.keys(aliases)]
    assert.deepStrictEqual(
      served.filter((route) => !documented.has(braces(route))),
      []
    )
  })

  it("says of every operation what it is, who may call it, and what comes back", () => {
    assert.deepStrictEqual(
      lacking(({ summary }) => typeof summary === "string" && summary !== ""),
      []
    )
    assert.deepStrictEqual(
      lacking(({ description }) => description !== undefined && description !== ""),
      []
    )
    assert.deepStrictEqual(
      lacking((operation) => operation["x-permission"] !== undefined),
      []
    )
    assert.deepStrictEqual(
      lacking(({ responses }) => responses["500"] !== undefined && responses["503"] !== undefined),
      []
    )
    assert.deepStrictEqual(
      lacking(({ security, responses }) => security.length === 0 || responses["401"] !== undefined),
      []
    )
    assert.deepStrictEqual(
      lacking(({ requestBody, responses }) =>
        [...Object.values(requestBody?.content ?? {}), ...Object.values(responses["200"]?.content ?? {})].every(
          (media) => "example" in media
        )
      ),
      []
    )
    const untold = spec.tags.filter(({ description }) => description === undefined).map(({ name }) => name)
    assert.deepStrictEqual(untold, [])
  })

  it("asks for a credential exactly where a permission other than public is asked", () => {
    assert.deepStrictEqual(
      operations
        .filter(({ operation }) => (operation["x-permission"] === "public") !== (operation.security.length === 0))
        .map(({ name }) => name),
      ["GET /metrics"]
    )
  })

  it("speaks snake_case in every schema", () => {
    const keys = new Set<string>()
    JSON.stringify(spec.components.schemas, (key, value) => {
      if (key === "properties") for (const name of Object.keys(value)) keys.add(name)
      return value
    })
    assert.isAbove(keys.size, 50)
    assert.deepStrictEqual(
      [...keys].filter((key) => /[A-Z]/.test(key)),
      []
    )
  })

  it("shows queries in their decoded types, headers of problems, and aliases as deprecated", () => {
    const login = spec.paths["/api/v1/auth/login"]?.["post"]
    assert.deepStrictEqual(Object.keys(login?.requestBody?.content ?? {}), [
      "application/json",
      "application/x-www-form-urlencoded"
    ])
    const types = Object.values(login?.requestBody?.content ?? {}).map(({ schema }) => schema.$ref)
    assert.deepStrictEqual(types, ["#/components/schemas/Login", "#/components/schemas/Login"])
    assert.notProperty(spec.components.schemas, "LoginForm")
    const answer = (status: string) => {
      const declared = login?.responses[status]
      return spec.components.responses[declared?.$ref?.split("/").at(-1) ?? ""] ?? declared
    }
    assert.property(answer("423")?.headers, "Retry-After")
    assert.property(answer("401")?.headers, "WWW-Authenticate")
    assert.isTrue(spec.paths["/healthz/live"]?.["get"]?.deprecated)
    const numbers = operations.flatMap(({ operation }) => operation.parameters.filter(({ name }) => name === "limit"))
    for (const { schema } of numbers) assert.strictEqual(schema.type, "integer")
  })

  it("names the version of the package, and the mount that clients see", () => {
    const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
    assert.deepStrictEqual([spec.info.version, version], [manifest.version, manifest.version])
    const place = { publicPath: "/cp", cookies: { access: "access_token_cp", csrf: "csrf_token_cp" } }
    const mounted = OpenApiSpec.at(spec, place)
    assert.strictEqual(mounted.servers[0]?.url, "/cp")
    assert.strictEqual(mounted.components.securitySchemes.cookie.name, "access_token_cp")
  })

  it("has patterns that mean the same everywhere", () => {
    const patterns = new Set<string>()
    JSON.stringify(spec, (key, value) => {
      if (key === "pattern" && typeof value === "string") patterns.add(value)
      return value
    })
    assert.isAbove(patterns.size, 5)
    // Classes of Unicode, octal escapes, look-arounds, names of groups and back references differ from dialect to dialect.
    assert.deepStrictEqual(
      [...patterns].filter((pattern) => /\\[pPkGzZAbB0-9]|\(\?[^:]/.test(pattern)),
      []
    )
    for (const pattern of patterns) assert.doesNotThrow(() => new RegExp(pattern, "u"))
  })

  it("has whole numbers as integers where it names them", () => {
    const { status, status_code } = spec.components.schemas["NotFoundProblem"]?.properties ?? {}
    assert.deepStrictEqual([status?.type, status?.enum, status_code?.type], ["integer", [404], "integer"])
  })

  it("spells lists of at least one as items, and maps as maps", () => {
    const words = new Set<string>()
    JSON.stringify(spec, (key, value) => {
      words.add(key)
      return value
    })
    assert.isTrue(words.has("minItems"))
    for (const word of ["prefixItems", "patternProperties"]) assert.isFalse(words.has(word), word)
    const env = spec.components.schemas["ExecutionRequest"]?.properties?.["env"]
    assert.deepInclude(env?.["propertyNames"], { pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" })
    assert.deepInclude(env?.additionalProperties, { type: "string" })
  })

  it("says of each text of a request which characters it takes: what no store takes is refused before", () => {
    // Hashed or decoded, never stored: any text is a wrong one there. And headers that are read for a number or a kind.
    const free = /password|token|^(prefer|range|accept|last[-_]event[-_]id|x-csrf-token)$|^RetryExecutionRequest/i
    const untold: Array<string> = []
    const look = (name: string, schema: JsonSchema, depth = 0): void => {
      const found = spec.components.schemas[schema.$ref?.split("/").at(-1) ?? ""] ?? schema
      if (depth > 6) return
      if (found.type === "string" && !free.test(name) && !["enum", "format", "pattern"].some((word) => word in found))
        untold.push(name)
      for (const [key, member] of Object.entries(found.properties ?? {})) look(key, member, depth + 1)
      if (typeof found.items === "object") look(name, found.items, depth + 1)
      for (const member of found.anyOf ?? []) look(name, member, depth + 1)
      if (typeof found.additionalProperties === "object") look(name, found.additionalProperties, depth + 1)
    }
    for (const { operation } of operations) {
      for (const { name, schema } of operation.parameters) look(name, schema)
      const json = operation.requestBody?.content["application/json"]
      if (json !== undefined) look("body", json.schema)
    }
    assert.deepStrictEqual([...new Set(untold)], [])
  })

  it("says format and choices of what is asked in addresses", () => {
    const queries = operations.flatMap(({ operation }) => operation.parameters.filter((p) => p.in === "query"))
    for (const { name, schema } of queries.filter(({ name }) => /_time$|^created_/.test(name)))
      assert.strictEqual(schema.format, "date-time", name)
    const types = queries.find(({ name }) => name === "event_types")?.schema.items
    assert.include(typeof types === "object" ? [...(types.enum ?? [])] : [], "execution_completed")
    for (const { name, schema } of queries.filter(({ name }) => /^(status|state|stream)$/.test(name)))
      assert.isArray(schema.enum ?? (typeof schema.items === "object" ? schema.items.enum : undefined), name)
  })

  it("has bodies that may be absent, none that may be null", () => {
    const logout = spec.paths["/api/v1/auth/logout"]?.["post"]?.requestBody
    assert.isFalse(logout?.required)
    const nullable = operations.filter(({ operation: { requestBody } }) =>
      Object.values(requestBody?.content ?? {}).some(({ schema }) => schema.anyOf?.some(({ type }) => type === "null"))
    )
    assert.deepStrictEqual(nullable, [])
  })

  it("comes out the same each time", () => {
    assert.strictEqual(JSON.stringify(OpenApiSpec.make(Api, aliases)), JSON.stringify(spec))
  })
})
