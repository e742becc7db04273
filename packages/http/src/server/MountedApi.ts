/** What this host serves, for the handlers that tell it: the document and the operations by area. */
import { Context } from "effect"

export interface MountedApiShape {
  /** Names of the operations of each area, in the order of the contract. */
  readonly features: Readonly<Record<string, ReadonlyArray<string>>>
  /** The OpenAPI document as JSON text. Made when it is first asked for. */
  document(publicPath: string): string
}

export const MountedApi = Context.Reference<MountedApiShape>("@fairlead/http/server/MountedApi", {
  defaultValue: () => ({ features: {}, document: () => "{}" })
})
