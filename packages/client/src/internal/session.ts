/**
 * The cookies of a login. Browsers keep and send them; in Node the two of ours are kept here. Calls that write repeat the CSRF token in a
 * header: from the cookie where it can be read, else from the last login, else asked for once it is missed.
 */
import { authVerify } from "../generated/sdk.gen.ts"
import type { Credential } from "./Credential.ts"
import { readableCsrf } from "./readableCsrf.ts"

/** An instance may put a suffix of its own behind the names. */
const ours = /^(?:access|csrf)_token/

export const session = (baseUrl: string): Credential => {
  const kept = new Map<string, string>()
  let told: string | undefined
  /** The server does not take this one. */
  let refused: string | undefined

  return {
    cookies: "include",
    headers: (method) => {
      const own = [...kept].find(([name]) => name.startsWith("csrf_token"))?.[1]
      const known = [own, readableCsrf(baseUrl), told]
      const csrf = known.find((token) => token !== undefined && token !== refused)
      return {
        ...(kept.size === 0 ? {} : { cookie: [...kept].map((pair) => pair.join("=")).join("; ") }),
        ...(csrf === undefined || /^(GET|HEAD)$/.test(method) ? {} : { "x-csrf-token": csrf })
      }
    },
    received: ({ headers }) => {
      for (const line of headers.getSetCookie?.() ?? []) {
        const [, name = "", value = "", attributes = ""] = /^([^=;]+)=([^;]*)(.*)$/.exec(line) ?? []
        if (!ours.test(name)) continue
        if (value === "" || /;\s*max-age=(0|-\d+)\b/i.test(attributes)) kept.delete(name)
        else kept.set(name, value)
      }
    },
    renew: async ({ code }, used, client) => {
      if (code !== "CSRF_REJECTED") return false
      refused = used["x-csrf-token"]
      const { cookie } = used
      told = (await authVerify({ client, ...(cookie === undefined ? {} : { headers: { cookie } }) })).csrf_token
      return told !== refused
    },
    loggedIn: ({ csrf_token }) => {
      told = csrf_token
    },
    logOut: () => {
      told = undefined
      return undefined
    }
  }
}
