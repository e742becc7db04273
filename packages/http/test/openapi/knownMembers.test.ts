import { assert, describe, it } from "@effect/vitest"
import { Api } from "@fairlead/http/api/Api"
import { aliases } from "@fairlead/http/api/compat/Aliases"
import * as OpenApiSpec from "@fairlead/http/server/OpenApiSpec"
import { Context } from "effect"
import { HttpApi } from "effect/http-api"
import type { JsonSchema } from "../../src/server/internal/openApiDocument.ts"

const spec = OpenApiSpec.make(Api, aliases)
const named = (schema: JsonSchema) => spec.components.schemas[schema.$ref?.split("/").at(-1) ?? ""] ?? schema
const bodies = Object.entries(spec.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { requestBody }]) =>
    Object.entries(requestBody?.content ?? {}).flatMap(([type, { schema }]) =>
      (schema.anyOf ?? [schema]).map((member) => ({ name: `${method} ${path} ${type}`, schema: named(member) }))
    )
  )
)

it("queries hold only parameters that they name, in every area", () => {
  HttpApi.reflect(Api, {
    onGroup() {},
    onEndpoint({ endpoint, mergedAnnotations }) {
      const options = Context.getOrUndefined(mergedAnnotations, HttpApi.QueryParseOptions)
      assert.strictEqual(options?.onExcessProperty, "error", endpoint.identifier)
    }
  })
})

describe("bodies of requests", () => {
  it("take only members that they name, in every area", () => {
    const lenient: Array<string> = []
    HttpApi.reflect(Api, {
      onGroup() {},
      onEndpoint({ endpoint, group, mergedAnnotations }) {
        const takesBody = ["POST", "PUT", "PATCH"].includes(endpoint.method)
        const options = Context.getOrUndefined(mergedAnnotations, HttpApi.PayloadParseOptions)
        if (takesBody && options?.onExcessProperty !== "error")
          lenient.push(`${group.identifier}.${endpoint.identifier}`)
      }
    })
    assert.deepStrictEqual(lenient, [])
  })

  it("are closed in the document, which answers are not", () => {
    const objects = bodies.filter(({ schema }) => schema.type === "object")
    assert.isAtLeast(objects.length, 15)
    assert.deepStrictEqual(
      objects.filter(({ schema }) => schema.additionalProperties !== false).map(({ name }) => name),
      []
    )
    const answers = JSON.stringify(
      Object.values(spec.paths).flatMap((methods) => Object.values(methods).map(({ responses }) => responses))
    )
    assert.notInclude(answers, '"additionalProperties":false')
    assert.isUndefined(named({ $ref: "#/components/schemas/ExecutionResult" }).additionalProperties)
  })
})
