/** Sends requests: with the credential, repeated where that is safe, and with every failure as a `FairleadError`. */

import { FairleadError } from "./FairleadError.ts"
import type { FairleadOptions } from "./FairleadOptions.ts"
import { type Client, createClient } from "./generated/client/index.ts"
import { Bearer } from "./internal/Bearer.ts"
import type { Credential } from "./internal/Credential.ts"
import { aborted, fromAnswer, fromFailure, unexpected } from "./internal/errors.ts"
import { session } from "./internal/session.ts"
import { backoffMillis, orAborted, sleep } from "./internal/waiting.ts"

export interface Connection {
  /** For the functions of `@fairlead/client/operations`: `executionsGet({ client: connection.http, path: { execution_id } })`. */
  readonly http: Client
  readonly credential: Credential
}

/** A longer `Retry-After` is not waited for: the error says when to come back. */
const longestWaitMillis = 60_000

export const connect = (options: FairleadOptions = {}): Connection => {
  const { fetch = (request) => globalThis.fetch(request), retries = 2, timeoutMs = 30_000 } = options
  const baseUrl = (options.baseUrl ?? "").replace(/\/+$/, "")
  const credential = credentialOf(options, baseUrl)

  /** One try. Answers in JSON are read to their end, so that nothing can fail later; others are handed on as they come. */
  const once = async (request: Request, headers: Readonly<Record<string, string>> = {}): Promise<Response> => {
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), timeoutMs + waitsMillis(request))
    const signal = AbortSignal.any([request.signal, timeout.signal])
    try {
      const sent = new Request(request.clone(), { signal })
      for (const [name, value] of Object.entries(headers)) if (!sent.headers.has(name)) sent.headers.set(name, value)
      const response = await orAborted(fetch(sent), signal)
      credential.received?.(response)
      if (response.ok && !/json/.test(response.headers.get("content-type") ?? "")) return response
      const text = await orAborted(response.text(), signal)
      if (!response.ok) throw fromAnswer(response, text)
      return new Response(text, response)
    } catch (cause) {
      if (request.signal.aborted) throw aborted(request.signal)
      if (!timeout.signal.aborted) throw fromFailure(cause)
      throw new FairleadError({ code: "TIMEOUT", detail: `No answer within ${timeoutMs} ms.`, cause })
    } finally {
      clearTimeout(timer)
    }
  }

  const authenticated = async (request: Request): Promise<Response> => {
    for (let renewed = false; ; renewed = true) {
      const used = credential.headers(request.method)
      try {
        return await once(request, used)
      } catch (error) {
        if (renewed || !(error instanceof FairleadError) || credential.renew === undefined) throw error
        if (!(await orAborted(credential.renew(error, used, bare), request.signal))) throw error
      }
    }
  }

  const send = async (request: Request): Promise<Response> => {
    for (let failures = 1; ; failures++) {
      try {
        return await authenticated(request)
      } catch (error) {
        const wait = failures <= retries && isRepeatable(request) ? waitMillis(error, failures) : undefined
        if (wait === undefined) throw error
        await sleep(wait, request.signal)
      }
    }
  }

  const clientOf = (answer: (request: Request) => Promise<Response>): Client => {
    const client = createClient({
      baseUrl,
      ...(options.headers === undefined ? {} : { headers: { ...options.headers } }),
      credentials: credential.cookies,
      redirect: "error",
      throwOnError: true,
      fetch: (input, init) => answer(new Request(input, init))
    })
    client.interceptors.error.use(unexpected)
    return client
  }
  const bare = clientOf(once)
  return { http: clientOf(send), credential }
}

const credentialOf = ({ auth }: FairleadOptions, baseUrl: string): Credential => {
  switch (auth?.kind) {
    case "session":
      return session(baseUrl)
    case "bearer":
    case "login":
      return new Bearer(auth)
    case "apiKey":
      return { cookies: "omit", headers: () => ({ "x-api-key": auth.key }) }
    default:
      return { cookies: "omit", headers: () => ({}) }
  }
}

/** Repeating changes nothing, or the server knows the key and answers as it did the first time. */
const isRepeatable = ({ headers, method }: Request) => /^(GET|HEAD)$/.test(method) || headers.has("idempotency-key")

/** Milliseconds to wait before trying again; `undefined` when that makes no sense. Not being ready is what a probe wants to know. */
const waitMillis = (error: unknown, failures: number): number | undefined => {
  if (!(error instanceof FairleadError) || !error.retryable || /^(TIMEOUT|NOT_READY)$/.test(error.code))
    return undefined
  const asked = (error.retryAfterSeconds ?? 0) * 1000
  return asked > longestWaitMillis ? undefined : asked + backoffMillis(failures)
}

/** How long the server was asked to hold back its answer. */
const waitsMillis = ({ url }: Request) => Number(/[?&]wait_seconds=(\d+)/.exec(url)?.[1] ?? 0) * 1000
