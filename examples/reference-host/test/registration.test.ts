import { assert, describe, it } from "vitest"
import { startHost } from "./support/HostProcess.ts"

const register = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/v1/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ username: "ada", email: "ada@example.com", password: "Correct-Horse-7" })
  })
const codeOf = async (answer: Response) => [answer.status, (await answer.json()).code]

describe("registration", () => {
  it("is open on a loopback address, but not to pages of other sites, nor under their names", async () => {
    const host = await startHost()
    try {
      assert.include(host.output(), "Registration        open")
      const foreign = await register(host.url, { origin: "https://evil.example" })
      assert.deepStrictEqual(await codeOf(foreign), [403, "CROSS_SITE_REJECTED"])
      assert.strictEqual((await register(host.url)).status, 201)
    } finally {
      await host.stop()
    }
  }, 30_000)

  it.each([
    ["listens on every interface", { FAIRLEAD_HOST: "0.0.0.0" }],
    ["stands behind a proxy", { FAIRLEAD_TRUSTED_PROXIES: "127.0.0.0/8" }],
    ["is told so", { FAIRLEAD_REGISTRATION: "closed" }]
  ])(
    "is closed when the host %s",
    async (_, environment) => {
      const host = await startHost({ environment })
      try {
        assert.include(host.output(), "Registration        closed")
        const url = host.url.replace("0.0.0.0", "127.0.0.1")
        assert.deepStrictEqual(await codeOf(await register(url)), [403, "REGISTRATION_CLOSED"])
      } finally {
        await host.stop()
      }
    },
    30_000
  )
})

describe("a password of the first administrator that is weak", () => {
  it.each(["password1", "short", "the-admin-of-all"])(
    "keeps the host from starting: %s",
    async (password) => {
      const refused = await startHost({ environment: { FAIRLEAD_ADMIN_PASSWORD: password } }).then(
        () => "started",
        (error: Error) => error.message
      )
      assert.include(refused, "FAIRLEAD_ADMIN_PASSWORD is too weak")
    },
    30_000
  )
})
