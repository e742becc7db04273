/** What a user of the surrounding service does, and what must come back whatever stands in front of the mount. */
import { request } from "node:http"
import { gunzipSync } from "node:zlib"
import { assert } from "vitest"
import { credentials } from "./mounted.ts"

/** The cookies that an answer set, by name, each with its attributes. */
const cookiesOf = (headers: Headers) =>
  new Map(
    headers.getSetCookie().map((line) => {
      const [, name = "", value = "", attributes = ""] = /^([^=;]+)=([^;]*)(.*)$/.exec(line) ?? []
      return [name, { value, attributes }]
    })
  )

interface Caller {
  readonly answer: Headers
  readonly cookies: ReturnType<typeof cookiesOf>
  readonly headers: Readonly<Record<string, string>>
}

/** As a form, as browsers do. Names of cookies tell the mount, and so do their paths. */
const logIn = async (url: string): Promise<Caller> => {
  const answer = await fetch(`${url}/cp/api/v1/auth/login`, { method: "POST", body: new URLSearchParams(credentials) })
  const text = await answer.text()
  assert.strictEqual(answer.status, 200, text)
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/)
  assert.strictEqual(answer.headers.get("cache-control"), "no-store")
  assert.match(answer.headers.get("x-request-id") ?? "", /./)
  const cookies = cookiesOf(answer.headers)
  assert.match(cookies.get("access_token_cp")?.attributes ?? "", /; Path=\/cp;.* HttpOnly/)
  assert.match(cookies.get("csrf_token_cp")?.attributes ?? "", /; Path=\/cp;/)
  const cookie = [...cookies].map(([name, { value }]) => `${name}=${value}`).join("; ")
  return {
    answer: answer.headers,
    cookies,
    headers: { cookie, "x-csrf-token": cookies.get("csrf_token_cp")?.value ?? "" }
  }
}

const submit = async (url: string, { headers }: Caller, script: string) => {
  const answer = await fetch(`${url}/cp/api/v1/executions`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ script, lang: "bash", lang_version: "5" })
  })
  const body = await answer.json()
  assert.strictEqual(answer.status, 200, JSON.stringify(body))
  return `${body.execution_id}`
}

/** The script goes on until it is cancelled, which happens once its first line has come: so nothing on the way holds the line back. */
const streamsLive = async (url: string, caller: Caller) => {
  const id = await submit(url, caller, "echo first; exec tail -f /dev/null")
  const headers = { ...caller.headers, "accept-encoding": "gzip" }
  const events = await fetch(`${url}/cp/api/v1/events/executions/${id}`, { headers })
  assert.strictEqual(events.status, 200)
  assert.match(events.headers.get("content-type") ?? "", /^text\/event-stream/)
  let text = ""
  let isCancelled = false
  const decoder = new TextDecoder()
  if (events.body === null) return assert.fail("no stream")
  for await (const bytes of events.body) {
    text += decoder.decode(bytes, { stream: true })
    if (isCancelled || !text.includes("first")) continue
    isCancelled = true
    const cancelled = await fetch(`${url}/cp/api/v1/executions/${id}/cancel`, {
      method: "POST",
      headers: caller.headers
    })
    assert.strictEqual(cancelled.status, 200, await cancelled.text())
  }
  assert.include(text, '"event_type":"result_stored"')
}

const answersInFull = async (url: string, caller: Caller) => {
  const id = await submit(url, caller, "printf embedded")
  const result = await fetch(`${url}/cp/api/v1/executions/${id}/result?wait_seconds=20`, caller)
  assert.deepInclude(await result.json(), { status: "completed", stdout: "embedded" })

  const part = await fetch(`${url}/cp/api/v1/executions/${id}/logs?stream=stdout`, {
    headers: { ...caller.headers, range: "bytes=2-4" }
  })
  assert.deepStrictEqual(
    [part.status, part.headers.get("content-range"), await part.text()],
    [206, "bytes 2-4/8", "bed"]
  )

  const nowhere = await fetch(`${url}/cp/api/v1/nowhere`, caller)
  assert.deepStrictEqual(
    [nowhere.status, nowhere.headers.get("content-type"), (await nowhere.json()).code],
    [404, "application/problem+json", "NOT_FOUND"]
  )

  const head = await fetch(`${url}/cp/openapi.json`, { method: "HEAD" })
  assert.deepStrictEqual([head.status, head.headers.get("content-type")], [200, "application/json"])

  const unchanged = await fetch(`${url}/cp/docs/assets/favicon-32x32.png`)
  await unchanged.arrayBuffer()
  const etag = unchanged.headers.get("etag") ?? ""
  const again = await fetch(`${url}/cp/docs/assets/favicon-32x32.png`, { headers: { "if-none-match": etag } })
  assert.deepStrictEqual([again.status, again.headers.get("etag")], [304, etag])
}

const logsOut = async (url: string, caller: Caller) => {
  const answer = await fetch(`${url}/cp/api/v1/auth/logout`, { method: "POST", headers: caller.headers })
  assert.strictEqual(answer.status, 200, await answer.text())
  assert.match(cookiesOf(answer.headers).get("access_token_cp")?.attributes ?? "", /; Max-Age=0; Path=\/cp;/)
  const after = await fetch(`${url}/cp/api/v1/auth/me`, caller)
  assert.strictEqual(after.status, 401, await after.text())
}

/** The document as it comes over the wire: `fetch` would hide whether it was compressed. */
const readDocument = (url: string) =>
  new Promise<{ readonly encoding: string | undefined; readonly document: { readonly servers: unknown } }>(
    (resolve, reject) =>
      request(`${url}/cp/openapi.json`, { headers: { "accept-encoding": "gzip" } }, (answer) => {
        const chunks: Array<Buffer> = []
        answer.on("data", (chunk) => chunks.push(chunk))
        answer.on("error", reject)
        answer.on("end", () => {
          const bytes = Buffer.concat(chunks)
          const encoding = answer.headers["content-encoding"]
          resolve({ encoding, document: JSON.parse(`${encoding === "gzip" ? gunzipSync(bytes) : bytes}`) })
        })
      })
        .on("error", reject)
        .end()
  )

const upgrades = (url: string) =>
  new Promise<void>((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http:", "ws:")}/cp/echo`)
    socket.onopen = () => socket.send("there and back")
    socket.onerror = () => reject(new Error("the upgrade was refused"))
    socket.onmessage = ({ data }) => {
      assert.strictEqual(data, "there and back")
      socket.close()
      resolve()
    }
  })

/** What stands in front adds to an answer, beside all that is ours. */
export interface Expected {
  /** Whether what is large comes compressed. */
  readonly compresses?: boolean
  readonly headers?: ReadonlyArray<string>
  readonly cookies?: ReadonlyArray<string>
}

export const useAll = async (url: string, { compresses = false, cookies = [], headers = [] }: Expected) => {
  const caller = await logIn(url)
  assert.includeMembers([...caller.cookies.keys()], [...cookies])
  for (const name of headers) assert.isTrue(caller.answer.has(name), name)
  await answersInFull(url, caller)
  await streamsLive(url, caller)
  await upgrades(url)
  const { document, encoding } = await readDocument(url)
  assert.strictEqual(encoding, compresses ? "gzip" : undefined)
  assert.deepNestedInclude(document, { "servers[0].url": "/cp" })
  await logsOut(url, caller)
}
