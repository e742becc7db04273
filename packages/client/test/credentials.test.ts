import { afterAll, assert, beforeAll, describe, it, vi } from "@effect/vitest"
import { FairleadClient, type FairleadOptions, login, type TokenPair } from "@fairlead/client"
import { baseUrl, failureOf, register, startHost, type TestHost, watched } from "./support/TestHost.ts"

let host: TestHost
beforeAll(async () => {
  host = await startHost({ auth: { refreshGraceMillis: 0 } })
})
afterAll(() => host.stop())

const connect = (options: FairleadOptions) => new FairleadClient({ baseUrl, fetch: host.fetch, ...options })
const refreshes = (sent: ReadonlyArray<string>) => sent.filter((line) => line.endsWith("/auth/refresh")).length
const logins = (sent: ReadonlyArray<string>) => sent.filter((line) => line.endsWith("/auth/login")).length

describe("session", () => {
  it("keeps the cookies of a login and repeats the CSRF token when it writes", async () => {
    const user = await register(host, "sara")
    const client = connect({ auth: { kind: "session" } })
    assert.strictEqual((await failureOf(client.auth.me())).code, "UNAUTHORIZED")
    await client.auth.login(user)
    assert.strictEqual((await client.auth.me()).username, "sara")
    assert.strictEqual((await client.auth.updateMe({ full_name: "Sara" })).full_name, "Sara")
  })

  it("knows the cookies of an API that is mounted under a prefix", async () => {
    const mounted = await startHost({ prefix: "/cp" })
    const user = await register(mounted, "pia")
    const cookies: Array<string | null> = []
    const fetch = (request: Request) => {
      cookies.push(request.headers.get("cookie"))
      return mounted.fetch(request)
    }
    const client = connect({ baseUrl: `${baseUrl}/cp`, fetch, auth: { kind: "session" } })
    await client.auth.login(user)
    assert.strictEqual((await client.auth.updateMe({ full_name: "Pia" })).full_name, "Pia")
    assert.match(cookies[1] ?? "", /^access_token_cp=.*; csrf_token_cp=/)
    await mounted.stop()
  })

  it("reads the CSRF token of its own instance in a page", async () => {
    const asked = async (cookie: string, address: string) => {
      vi.stubGlobal("document", { cookie })
      vi.stubGlobal("location", { origin: "http://page.test", href: "http://page.test/cp/" })
      const tokens: Array<string | null> = []
      const fetch = async (request: Request) => {
        tokens.push(request.headers.get("x-csrf-token"))
        return Response.json({}, { status: 500 })
      }
      const client = connect({ baseUrl: address, fetch, auth: { kind: "session" } })
      await failureOf(client.auth.updateMe({ full_name: "P" })).finally(() => vi.unstubAllGlobals())
      return tokens[0]
    }
    const both = "csrf_token=root; csrf_token_cp=cp"
    assert.strictEqual(await asked(both, "http://page.test/cp"), "cp")
    assert.strictEqual(await asked(both, "http://page.test"), "root")
    assert.isNull(await asked("csrf_token=root", "http://page.test/cp"))
    assert.isNull(await asked(both, "http://other.test/cp"))
  })

  it("forgets them with the logout", async () => {
    const user = await register(host, "sven")
    const client = connect({ auth: { kind: "session" } })
    await client.auth.login(user)
    await client.auth.logout()
    assert.strictEqual((await failureOf(client.auth.me())).code, "UNAUTHORIZED")
  })

  it("asks for a CSRF token when the one it has is refused", async () => {
    const user = await register(host, "siri")
    const { fetch, sent } = watched(async (request) => {
      const answer = await host.fetch(request)
      const cookies = answer.headers.getSetCookie()
      answer.headers.delete("set-cookie")
      for (const cookie of cookies)
        answer.headers.append("set-cookie", cookie.replace(/^csrf_token=[^;]*/, "csrf_token=stale"))
      return answer
    })
    const client = connect({ auth: { kind: "session" }, fetch })
    await client.auth.login(user)
    await client.auth.updateMe({ full_name: "Siri" })
    await client.auth.updateMe({ full_name: "Iris" })
    assert.deepStrictEqual(sent.slice(1), [
      "PUT /api/v1/auth/me",
      "GET /api/v1/auth/verify-token",
      "PUT /api/v1/auth/me",
      "PUT /api/v1/auth/me"
    ])
  })
})

describe("bearer", () => {
  it("renews tokens once for all calls that are refused meanwhile", async () => {
    const { refresh_token } = await connect({}).auth.login(await register(host, "bert"))
    const seen: Array<TokenPair | undefined> = []
    const { fetch, sent } = watched(host.fetch)
    const auth = { kind: "bearer", accessToken: "ended", refreshToken: refresh_token } as const
    const client = connect({ fetch, auth: { ...auth, onTokens: (tokens) => seen.push(tokens) } })
    const users = await Promise.all([client.auth.me(), client.auth.me(), client.executions.list(), client.auth.me()])
    assert.deepInclude(users[0], { username: "bert" })
    assert.deepStrictEqual([refreshes(sent), seen.length], [1, 1])
    await client.auth.me()
    assert.strictEqual(refreshes(sent), 1)
  })

  it("ends with TOKEN_REJECTED when the refresh token was used before, and does not try it again", async () => {
    const { refresh_token } = await connect({}).auth.login(await register(host, "bill"))
    const tokens = { kind: "bearer", accessToken: "ended", refreshToken: refresh_token } as const
    await connect({ auth: tokens }).auth.me()
    const seen: Array<TokenPair | undefined> = []
    const { fetch, sent } = watched(host.fetch)
    const thief = connect({ fetch, auth: { ...tokens, onTokens: (pair) => seen.push(pair) } })
    assert.strictEqual((await failureOf(thief.auth.me())).code, "TOKEN_REJECTED")
    assert.strictEqual((await failureOf(thief.auth.me())).code, "UNAUTHORIZED")
    assert.deepStrictEqual([refreshes(sent), seen], [1, [undefined]])
  })

  it("fails with UNAUTHORIZED without a refresh token", async () => {
    const client = connect({ auth: { kind: "bearer", accessToken: "ended" } })
    assert.strictEqual((await failureOf(client.auth.me())).code, "UNAUTHORIZED")
  })

  it("takes its tokens from a login, and ends them with the logout", async () => {
    const client = connect({ auth: { kind: "bearer" } })
    const { refresh_token } = await client.auth.login(await register(host, "beth"))
    assert.strictEqual((await client.auth.me()).username, "beth")
    await client.auth.logout()
    assert.strictEqual((await failureOf(client.auth.me())).code, "UNAUTHORIZED")
    const later = connect({ auth: { kind: "bearer", accessToken: "ended", refreshToken: refresh_token } })
    assert.strictEqual((await failureOf(later.auth.me())).code, "TOKEN_REJECTED")
  })

  it("does not lose the session when the answer to a refresh is lost", async () => {
    const graceful = await startHost()
    const { refresh_token } = await connect({ fetch: graceful.fetch }).auth.login(await register(graceful, "bree"))
    let lost = 0
    const client = connect({
      auth: { kind: "bearer", accessToken: "ended", refreshToken: refresh_token },
      fetch: async (request) => {
        const answer = await graceful.fetch(request)
        if (request.url.endsWith("/auth/refresh") && lost++ === 0) throw new TypeError("fetch failed")
        return answer
      }
    })
    assert.strictEqual((await client.auth.me()).username, "bree")
    await graceful.stop()
  })
})

describe("API key", () => {
  it("acts as its owner", async () => {
    const { key } = await connect({ auth: login(await register(host, "kurt")) }).auth.createApiKey({ name: "ci" })
    const client = connect({ auth: { kind: "apiKey", key } })
    assert.strictEqual((await client.auth.me()).username, "kurt")
    assert.strictEqual((await client.executions.submit({ script: "out 1" })).status, "queued")
  })
})

describe("login", () => {
  it("logs in once for all first calls, and again when the session has ended", async () => {
    const user = await register(host, "lena")
    const { fetch, sent } = watched(host.fetch)
    const tokens: Array<TokenPair> = []
    const client = connect({ fetch, auth: login({ ...user, onTokens: (pair) => pair && tokens.push(pair) }) })
    await Promise.all([client.auth.me(), client.auth.me(), client.executions.list()])
    assert.strictEqual(logins(sent), 1)
    const [pair] = tokens
    await connect({ auth: { kind: "bearer", accessToken: "", ...pair } }).auth.logout()
    assert.strictEqual((await client.auth.me()).username, "lena")
    assert.strictEqual(logins(sent), 2)
  })

  it("asks with a wrong password only once", async () => {
    const { username } = await register(host, "lars")
    const { fetch, sent } = watched(host.fetch)
    const client = connect({ fetch, auth: login({ username, password: "wrong" }) })
    for (const _ of [1, 2, 3]) assert.strictEqual((await failureOf(client.auth.me())).code, "CREDENTIALS_REJECTED")
    assert.strictEqual(logins(sent), 1)
  })
})

it("calls what is public without any credential", async () => {
  const client = connect({})
  assert.strictEqual((await client.health.live()).status, "ok")
  assert.hasAllKeys((await client.executions.examples()).scripts, ["python", "bash"])
})
