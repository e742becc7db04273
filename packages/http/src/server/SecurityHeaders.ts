/** Headers that every answer carries, and CORS for the sites that an instance allows. */
import type { Headers } from "effect/http"
import { logHeaders } from "../api/executions/ExecutionRequests.ts"

/** For answers that are data. Pages bring a policy of their own. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'"

const always = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin"
}

/** A response's own `cache-control` and policy win; without one it is not stored anywhere. */
export const securityHeaders = (own: Headers.Headers, requestId: string, secure: boolean): Record<string, string> => ({
  ...always,
  "cache-control": own["cache-control"] ?? "no-store",
  "content-security-policy": own["content-security-policy"] ?? dataPolicy,
  "x-request-id": requestId,
  ...(secure ? { "strict-transport-security": "max-age=31536000; includeSubDomains" } : undefined)
})

const exposed = [
  "X-Request-Id",
  "Retry-After",
  ...["Limit", "Remaining", "Reset"].map((name) => `X-RateLimit-${name}`),
  ...Object.keys(logHeaders)
].join(", ")

export interface Cors {
  /** For an answer to a request from `origin`; always varies by it. */
  headers(origin: string | undefined): Readonly<Record<string, string>>
  /** For a preflight; without the allowing headers when the origin is not on the list. */
  preflight(origin: string | undefined): Readonly<Record<string, string>>
}

/** Off, and of no cost, without origins. An origin must be equal to one on the list, never only alike. */
export const cors = (allowedOrigins: ReadonlyArray<string>): Cors | undefined => {
  if (allowedOrigins.length === 0) return undefined
  const allowed = new Set(allowedOrigins)
  const headers: Cors["headers"] = (origin) =>
    origin === undefined || !allowed.has(origin)
      ? { vary: "Origin" }
      : {
          vary: "Origin",
          "access-control-allow-origin": origin,
          "access-control-allow-credentials": "true",
          "access-control-expose-headers": exposed
        }
  return {
    headers,
    preflight: (origin) =>
      origin === undefined || !allowed.has(origin)
        ? { vary: "Origin" }
        : {
            ...headers(origin),
            "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "access-control-allow-headers":
              "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key, X-CSRF-Token, X-Request-Id",
            "access-control-max-age": "600"
          }
  }
}
