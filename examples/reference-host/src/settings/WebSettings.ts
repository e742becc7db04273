/** What callers meet: credentials, other sites, proxies, documents. What they may take of the instance is in `RequestSettings`. */
import { choice, list, onOff, optionalFormed } from "./Setting.ts"

export const webSettings = {
  FAIRLEAD_AUTH_MODE: choice(
    "FAIRLEAD_AUTH_MODE",
    ["required", "optional", "disabled"],
    "required",
    "Calls without a credential: refused; or they may read the health report; or, from this machine only, do what an administrator may. `disabled` asks for a loopback address in `FAIRLEAD_HOST`."
  ),
  FAIRLEAD_ALLOWED_HOSTS: list(
    "FAIRLEAD_ALLOWED_HOSTS",
    "Names under which clients reach this instance, for example `fairlead.example.com`, besides addresses, `localhost` and `FAIRLEAD_HOST`; requests to other names are refused with 421. `*` allows any, where a proxy checks them."
  ),
  FAIRLEAD_CORS_ORIGINS: list(
    "FAIRLEAD_CORS_ORIGINS",
    "Origins of other sites whose pages may call this API with credentials."
  ),
  FAIRLEAD_TRUSTED_PROXIES: list(
    "FAIRLEAD_TRUSTED_PROXIES",
    "Networks of proxies whose `X-Forwarded-*` headers are believed, for example `10.0.0.0/8`."
  ),
  FAIRLEAD_SECURE_COOKIES: choice(
    "FAIRLEAD_SECURE_COOKIES",
    ["auto", "always"],
    "auto",
    "Whether cookies are always `Secure`, or only for requests over https."
  ),
  FAIRLEAD_PUBLIC_PATH: optionalFormed(
    "FAIRLEAD_PUBLIC_PATH",
    /^(?:\/[\w.~-]+)+$/,
    "none",
    "Path that a proxy takes off before it asks this instance, for example `/cp`: the server in `/openapi.json`, and the path and the end of the names of cookies."
  ),
  FAIRLEAD_COOKIE_SUFFIX: optionalFormed(
    "FAIRLEAD_COOKIE_SUFFIX",
    /^[\w-]{1,64}$/,
    "made of `FAIRLEAD_PUBLIC_PATH`",
    "What stands behind the names `access_token` and `csrf_token`: browsers send cookies to every port of a host name, so instances there need different ones. Letters, digits, `_` and `-`."
  ),
  FAIRLEAD_METRICS: choice(
    "FAIRLEAD_METRICS",
    ["local", "permission", "public"],
    "local",
    "Who may read `/metrics`: callers on this machine or with `health:read`, only the latter, or everybody."
  ),
  FAIRLEAD_DOCS: onOff("FAIRLEAD_DOCS", "on", "Whether `/docs`, `/redoc` and `/openapi.json` are served.")
}
