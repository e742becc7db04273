/** Files of the docs pages out of the packages `swagger-ui-dist` and `redoc`. Each is read once, when it is first asked for. */
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { type Cause, Effect, Layer, Option } from "effect"
import { DocsAsset } from "../api/docs/DocsApi.ts"
import { type Asset, DocsAssets } from "../server/docs/DocsAssets.ts"

const javascript = "text/javascript; charset=utf-8"

/** Starts Swagger UI; a file because the page's policy allows no inline script. Sends the CSRF token of the cookie along. */
const swaggerStart = `const { csrfCookie } = document.body.dataset
const csrf = () => document.cookie.split("; ").find((pair) => pair.startsWith(csrfCookie + "="))?.slice(csrfCookie.length + 1)
SwaggerUIBundle({
  url: document.body.dataset.document,
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const token = csrf()
    if (token !== undefined) request.headers["X-CSRF-Token"] = decodeURIComponent(token)
    return request
  }
})
`

const file = (path: string) =>
  Effect.tryPromise((signal) => readFile(createRequire(import.meta.url).resolve(path), { signal }))

const sources: Readonly<
  Record<DocsAsset, { readonly contentType: string; readonly bytes: Effect.Effect<Uint8Array, Cause.UnknownError> }>
> = {
  "swagger-ui.css": { contentType: "text/css; charset=utf-8", bytes: file("swagger-ui-dist/swagger-ui.css") },
  "swagger-ui-bundle.js": { contentType: javascript, bytes: file("swagger-ui-dist/swagger-ui-bundle.js") },
  "swagger-start.js": { contentType: javascript, bytes: Effect.sync(() => new TextEncoder().encode(swaggerStart)) },
  "redoc.standalone.js": { contentType: javascript, bytes: file("redoc/bundles/redoc.standalone.js") },
  "favicon-32x32.png": { contentType: "image/png", bytes: file("swagger-ui-dist/favicon-32x32.png") }
}

const load = (name: DocsAsset): Effect.Effect<Option.Option<Asset>> => {
  const { bytes, contentType } = sources[name]
  return bytes.pipe(
    Effect.map((bytes) => {
      const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
      return Option.some({ bytes, contentType, etag })
    }),
    Effect.catchTag("UnknownError", (error) =>
      Effect.as(Effect.logWarning(`the docs page lacks ${name}`, error), Option.none())
    )
  )
}

export const layer = Layer.effect(
  DocsAssets,
  Effect.gen(function* () {
    const loads = new Map<DocsAsset, Effect.Effect<Option.Option<Asset>>>()
    for (const name of DocsAsset.literals) loads.set(name, yield* Effect.cached(load(name)))
    return DocsAssets.of({ get: (name) => loads.get(name) ?? Effect.succeedNone })
  })
)
