/**
 * Whom a request stands for that presents no credential at all. With authentication disabled that is whoever works on this machine, and
 * nobody else: not who comes through a proxy, and not the pages of other sites in a browser here, whose requests come from this machine too.
 */
import { anonymous, local } from "@fairlead/core/auth/BuiltInPrincipals"
import type { Principal } from "@fairlead/core/auth/Principal"
import type { HttpServerRequest } from "effect/http"
import type { HttpSettingsShape } from "../HttpSettings.ts"
import { isLocal } from "./isLocal.ts"
import { isFromOtherSite } from "./siteChecks.ts"

type Request = HttpServerRequest.HttpServerRequest

/** `undefined` if it needs a credential. One that is presented and does not verify is never passed over. */
export const withoutCredential = (
  settings: HttpSettingsShape,
  request: Request,
  cookieName: string
): Principal | undefined => {
  if (settings.authMode === "required" || presentsCredential(request, cookieName)) return undefined
  if (settings.authMode === "optional") return anonymous
  return isLocal(request) && isForThisMachine(request) && !isFromOtherSite(request, settings.allowedOrigins)
    ? local
    : undefined
}

const presentsCredential = ({ cookies, headers }: Request, cookieName: string) =>
  headers["x-api-key"] !== undefined || headers["authorization"] !== undefined || cookies[cookieName] !== undefined

/** A name that another site made to point here is not ours: its pages would pass for our own. */
const isForThisMachine = ({ headers }: Request) =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(headers["host"] ?? "")
