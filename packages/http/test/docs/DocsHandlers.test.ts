import { assert, describe, it } from "@effect/vitest"
import { Api } from "@fairlead/http/api/Api"
import { DocsApi } from "@fairlead/http/api/docs/DocsApi"
import * as NodeDocsAssets from "@fairlead/http/node/NodeDocsAssets"
import * as ApiLayer from "@fairlead/http/server/ApiLayer"
import { DocsHandlers } from "@fairlead/http/server/docs/DocsHandlers"
import { defaultSettings, HttpSettings } from "@fairlead/http/server/HttpSettings"
import { Effect, Layer } from "effect"
import { HttpApi } from "effect/http-api"
import * as Identities from "../support/Identities.ts"
import { serve } from "../support/TestServer.ts"

const api = HttpApi.make("fairlead").add(DocsApi)
const host = (settings: Partial<typeof defaultSettings> = {}) =>
  serve(
    ApiLayer.layer({ api, aliases: {}, handlers: DocsHandlers }).pipe(
      Layer.provide([NodeDocsAssets.layer, Identities.layer]),
      Layer.provide(Layer.succeed(HttpSettings, { ...defaultSettings, ...settings }))
    )
  )

describe("docs pages", () => {
  it.effect.each(["/docs", "/docs/", "/redoc", "/redoc/"])("%s loads only files of ours, all of them there", (path) =>
    Effect.gen(function* () {
      const call = yield* host()
      const page = yield* call("GET", path)
      assert.deepStrictEqual([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"])
      const policy = page.headers.get("content-security-policy") ?? ""
      assert.include(policy, "default-src 'none'")
      assert.notMatch(policy, /https?:|\*/)
      assert.notMatch(page.text, /<script>|https?:\/\//)
      const linked = [...page.text.matchAll(/(?:src|href|spec-url|data-document)="([^"]+)"/g)].map((found) => found[1])
      assert.isAtLeast(linked.length, 3)
      for (const link of linked) {
        const { pathname } = new URL(link ?? "", `http://host${path}`)
        assert.strictEqual((yield* call("GET", pathname)).status, 200, pathname)
      }
    })
  )

  it.effect("lets browsers keep files until they change", () =>
    Effect.gen(function* () {
      const call = yield* host()
      const first = yield* call("HEAD", "/docs/assets/swagger-ui.css")
      const etag = first.headers.get("etag") ?? ""
      assert.deepStrictEqual(
        [first.headers.get("content-type"), first.headers.get("cache-control")],
        ["text/css; charset=utf-8", "public, max-age=3600"]
      )
      const again = yield* call("GET", "/docs/assets/swagger-ui.css", { headers: { "if-none-match": etag } })
      assert.deepStrictEqual([again.status, again.text], [304, ""])
    })
  )

  it.effect("serves no other file", () =>
    Effect.gen(function* () {
      const call = yield* host()
      for (const name of ["index.html", "..%2fpackage.json", "swagger-ui.css.map", "%2e%2e%2f%2e%2e%2fetc%2fpasswd"])
        assert.strictEqual((yield* call("GET", `/docs/assets/${name}`)).status, 404)
    })
  )

  it.effect("serves the document of what is mounted, under the name of the mount", () =>
    Effect.gen(function* () {
      const call = yield* host({ publicPath: "/cp" })
      const { body } = yield* call("GET", "/openapi.json")
      assert.strictEqual(body["servers"][0].url, "/cp")
      assert.include((yield* call("GET", "/docs")).text, 'data-csrf-cookie="csrf_token_cp"')
      assert.deepStrictEqual(Object.keys(body["paths"]), ["/openapi.json", "/docs", "/redoc", "/docs/assets/{name}"])
      assert.isAbove(Object.keys(Api.groups).length, 1)
    })
  )

  it.effect("can be switched off", () =>
    Effect.gen(function* () {
      const call = yield* host({ docs: false })
      for (const path of ["/docs", "/redoc", "/openapi.json", "/docs/assets/swagger-ui.css"])
        assert.strictEqual((yield* call("GET", path)).status, 404)
    })
  )
})
