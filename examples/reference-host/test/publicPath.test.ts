import { assert, describe, it } from "vitest"
import { startHost } from "./support/HostProcess.ts"

/** Names and paths of the cookies that a logout clears, and the server of the document. */
const seen = async (environment: Readonly<Record<string, string>>) => {
  const host = await startHost({ environment })
  try {
    const { headers } = await fetch(`${host.url}/api/v1/auth/logout`, { method: "POST" })
    const document = await (await fetch(`${host.url}/openapi.json`)).json()
    return {
      server: document.servers[0].url,
      scheme: document.components.securitySchemes.cookie.name,
      cookies: headers.getSetCookie().map((line) => line.replace(/=.*(; Path=[^;]*).*/, "$1"))
    }
  } finally {
    await host.stop()
  }
}

describe("a host that a proxy shows under a path", () => {
  it("names the path in its document and its cookies", async () => {
    assert.deepStrictEqual(await seen({ FAIRLEAD_PUBLIC_PATH: "/cp" }), {
      server: "/cp",
      scheme: "access_token_cp",
      cookies: ["access_token_cp; Path=/cp", "csrf_token_cp; Path=/cp"]
    })
  }, 30_000)

  it("has cookies of its own beside others on the same name", async () => {
    assert.deepStrictEqual(await seen({ FAIRLEAD_COOKIE_SUFFIX: "_b" }), {
      server: "/",
      scheme: "access_token_b",
      cookies: ["access_token_b; Path=/", "csrf_token_b; Path=/"]
    })
  }, 30_000)
})
