/** What this instance serves, for the handlers that tell it: the document and the operations by area. */
import { Context } from "effect"
import type { DocumentPlace } from "./OpenApiSpec.ts"

export interface MountedApiShape {
  /** Names of the operations of each area, in the order of the contract. */
  readonly features: Readonly<Record<string, ReadonlyArray<string>>>
  /** The OpenAPI document as JSON text, for one place of the API. Made when it is first asked for. */
  document(place: DocumentPlace): string
}

export const MountedApi = Context.Reference<MountedApiShape>("@fairlead/http/server/MountedApi", {
  defaultValue: () => ({ features: {}, document: () => "{}" })
})
