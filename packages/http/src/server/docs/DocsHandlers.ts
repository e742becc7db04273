/** Serves the document and the pages. Pages are small and link their files, so that browsers cache those. */
import { Effect, Option } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { NotFound } from "../../api/CommonErrors.ts"
import { DocsApi } from "../../api/docs/DocsApi.ts"
import { ownCookies } from "../auth/SessionCookies.ts"
import { HttpSettings } from "../HttpSettings.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"
import { MountPath, publicPathOf } from "../Mount.ts"
import { MountedApi } from "../MountedApi.ts"
import { DocsAssets } from "./DocsAssets.ts"

/** No other instance, no inline script. Both pages set styles from script, ReDoc searches in a worker made of a blob. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

export const DocsHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(DocsApi),
  "docs",
  Effect.fnUntraced(function* (handlers) {
    const assets = yield* DocsAssets
    const mounted = yield* MountedApi
    const settings = yield* HttpSettings

    const page = (html: (up: string, csrfCookie: string) => string) =>
      Effect.fnUntraced(function* () {
        if (!settings.docs) return yield* new NotFound()
        const { url } = yield* HttpServerRequest.HttpServerRequest
        return HttpServerResponse.text(html(/^[^?#]*\/(?:[?#]|$)/.test(url) ? "../" : "", (yield* ownCookies).csrf), {
          contentType: "text/html; charset=utf-8",
          headers: { "content-security-policy": pagePolicy, "cache-control": "no-cache" }
        })
      })

    return handlers.handleAll({
      document: Effect.fnUntraced(function* () {
        if (!settings.docs) return yield* new NotFound()
        const publicPath = publicPathOf(settings, yield* MountPath)
        return HttpServerResponse.text(mounted.document({ publicPath, cookies: yield* ownCookies }), {
          contentType: "application/json",
          headers: { "cache-control": "no-cache" }
        })
      }),
      swagger: page(swaggerPage),
      redoc: page(redocPage),
      asset: Effect.fnUntraced(function* ({ params, request }) {
        const found = settings.docs ? yield* assets.get(params.name) : Option.none()
        if (Option.isNone(found)) return yield* new NotFound()
        const { bytes, contentType, etag } = found.value
        const headers = { etag, "cache-control": "public, max-age=3600" }
        return request.headers["if-none-match"] === etag
          ? HttpServerResponse.empty({ status: 304, headers })
          : HttpServerResponse.uint8Array(bytes, { contentType, headers })
      })
    })
  }, withServices)
).pipe(lean)

/** `up` leads from the page to the mount point: pages answer with and without a slash at the end. */
const swaggerPage = (up: string, csrfCookie: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fairlead API</title>
<link rel="icon" href="${up}docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="${up}docs/assets/swagger-ui.css">
</head>
<body data-document="${up}openapi.json" data-csrf-cookie="${csrfCookie}">
<div id="swagger-ui"></div>
<script src="${up}docs/assets/swagger-ui-bundle.js"></script>
<script src="${up}docs/assets/swagger-start.js"></script>
</body>
</html>
`

const redocPage = (up: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fairlead API</title>
<link rel="icon" href="${up}docs/assets/favicon-32x32.png">
</head>
<body>
<redoc spec-url="${up}openapi.json" disable-google-font="true"></redoc>
<script src="${up}docs/assets/redoc.standalone.js"></script>
</body>
</html>
`
