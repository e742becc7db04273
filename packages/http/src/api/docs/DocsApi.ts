/** Contract of the pages about the contract. */

import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { RequiredPermission } from "../Access.ts"
import { operation } from "../Area.ts"
import { CommonErrors } from "../CommonErrors.ts"
import { HttpStatuses } from "../HttpStatuses.ts"
import { onlyKnownMembers } from "../KnownMembers.ts"

const Page = Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/html; charset=utf-8" }))

/** Files of the pages that are served; nothing else is looked up. */
export const DocsAsset = Schema.Literals([
  "swagger-ui.css",
  "swagger-ui-bundle.js",
  "swagger-start.js",
  "redoc.standalone.js",
  "favicon-32x32.png"
])
export type DocsAsset = typeof DocsAsset.Type

export class DocsApi extends HttpApiGroup.make("docs")
  .add(
    HttpApiEndpoint.get("document", "/openapi.json", {
      success: Schema.Record(Schema.String, Schema.Json).annotate({ identifier: "OpenApiDocument" })
    }).annotateMerge(
      operation("public", "This API as an OpenAPI document", "OpenAPI 3.1, of the areas that this instance serves.")
    ),
    HttpApiEndpoint.get("swagger", "/docs", { success: Page }).annotateMerge(
      operation(
        "public",
        "Read and try the API",
        "Swagger UI over `/openapi.json`; loads nothing from other instances."
      )
    ),
    HttpApiEndpoint.get("redoc", "/redoc", { success: Page }).annotateMerge(
      operation("public", "Read the API", "ReDoc over `/openapi.json`; loads nothing from other instances.")
    ),
    HttpApiEndpoint.get("asset", "/docs/assets/:name", {
      params: { name: DocsAsset },
      success: ["text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/png"].map((contentType) =>
        Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType }))
      )
    })
      .annotate(RequiredPermission, "public")
      .annotate(HttpStatuses, { "304": "The caller has it: `If-None-Match` named its entity tag." })
      .annotate(OpenApi.Summary, "A file of the pages")
      .annotate(OpenApi.Description, "Scripts and styles of `/docs` and `/redoc`, with an entity tag.")
  )
  .middleware(CommonErrors)
  .annotateMerge(onlyKnownMembers)
  .annotate(OpenApi.Description, "This document, and pages to read it.") {}
