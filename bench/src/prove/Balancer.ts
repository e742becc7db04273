/**
 * A load balancer: asks every host again and again whether it is ready, and hands each request once to the next host that is. Nothing
 * is repeated, so what a client would see fail is taken down as a violation.
 */
import { type Summary, summarize } from "../support/stats.ts"
import type { Answer, Fleet } from "./Fleet.ts"
import { sleep } from "./waiting.ts"

export interface Balancer {
  /** Fails if the request fails, or if no host is ready. */
  ask: Fleet["ask"]
  isReady(name: string): boolean
  /** By method and path, ids left out; in milliseconds. */
  latencies(): Readonly<Record<string, Summary>>
  readonly violations: ReadonlyArray<string>
  /** Ends the probes. */
  stop(): Promise<void>
}

const probeMillis = 100
/** A probe that is not answered within it counts as not ready. */
const probeBoundMillis = 2_000
/** Longer than the longest wait that a client asks for. */
const answerMillis = 20_000

export const makeBalancer = (fleet: Fleet): Balancer => {
  const began = performance.now()
  const ready = new Map<string, string>()
  const violations: Array<string> = []
  const samples = new Map<string, Array<number>>()
  let [isOver, turn] = [false, 0]

  const probe = async (name: string) => {
    while (!isOver) {
      const url = fleet.urlOf(name)
      if (url !== undefined && (await saysReady(url))) ready.set(name, url)
      else ready.delete(name)
      await sleep(probeMillis)
    }
  }
  const probes = fleet.names.map(probe)

  const send = async (name: string, url: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(answerMillis) })
    const text = await response.text()
    if (response.status >= 500 || response.status === 429)
      throw new Error(`${response.status} ${text.slice(0, 300)} from ${name}`)
    return { status: response.status, body: JSON.parse(text) }
  }

  return {
    ask: async (method, path, body, headers = {}) => {
      const hosts = [...ready]
      const [name, url] = hosts[turn++ % Math.max(1, hosts.length)] ?? []
      const sent = performance.now()
      try {
        if (name === undefined) throw new Error("no host is ready")
        const answer = await send(name, `${url}/api/v1${path}`, {
          method,
          headers: { "content-type": "application/json", ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        const what = `${method} ${path.replace(/[0-9a-f-]{36}/, "{id}").replace(/\?.*/, "")}`
        samples.set(what, [...(samples.get(what) ?? []), performance.now() - sent])
        return answer
      } catch (error) {
        const [at, after] = [sent - began, performance.now() - sent].map(Math.round)
        violations.push(`${method} ${path} to ${name}, sent at ${at} ms, failed after ${after} ms: ${reasonOf(error)}`)
        throw error
      }
    },
    isReady: (name) => ready.has(name),
    latencies: () => Object.fromEntries([...samples].map(([what, millis]) => [what, summarize(millis)])),
    violations,
    stop: async () => {
      isOver = true
      await Promise.all(probes)
    }
  }
}

const saysReady = async (url: string) => {
  try {
    const response = await fetch(`${url}/api/v1/health/ready`, { signal: AbortSignal.timeout(probeBoundMillis) })
    await response.text()
    return response.ok
  } catch {
    return false
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? `${error.message}: ${String(error.cause)}` : String(error)
