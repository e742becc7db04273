/** Port: the files of the docs pages. `node/NodeDocsAssets` reads them from their packages. */
import { Context, type Effect, type Option } from "effect"
import type { DocsAsset } from "../../api/docs/DocsApi.ts"

export interface Asset {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** Changes with the bytes. */
  readonly etag: string
}

export class DocsAssets extends Context.Service<
  DocsAssets,
  {
    /** None when the package that holds the file is not installed. */
    get(name: DocsAsset): Effect.Effect<Option.Option<Asset>>
  }
>()("@fairlead/http/server/docs/DocsAssets") {}
