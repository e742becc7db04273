/**
 * Second spellings that existing clients use. One line each: what arrives, and the route that answers; both sides name the same
 * parameters. Only for the same shape; another shape is an endpoint of its own.
 */
import type { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import type { Api } from "../Api.ts"

type Endpoints = HttpApiGroup.Endpoints<(typeof Api)["groups"][keyof (typeof Api)["groups"]]>
type Route<E> =
  E extends HttpApiEndpoint.HttpApiEndpoint<
    infer _I,
    infer M,
    infer P,
    infer _A,
    infer _B,
    infer _C,
    infer _D,
    infer _S,
    infer _E,
    infer _F,
    infer _G
  >
    ? `${M} ${P}`
    : never

/** A target that no endpoint serves does not compile. */
export const aliases = {
  "DELETE /api/v1/:execution_id": "DELETE /api/v1/executions/:execution_id",
  "GET /api/v1/events/executions/:execution_id": "GET /api/v1/executions/:execution_id/stream",
  "GET /api/v1/result/:execution_id": "GET /api/v1/executions/:execution_id/result",
  "POST /api/v1/:execution_id/cancel": "POST /api/v1/executions/:execution_id/cancel",
  "POST /api/v1/:execution_id/retry": "POST /api/v1/executions/:execution_id/retry",
  "POST /api/v1/execute": "POST /api/v1/executions",
  "GET /capabilities": "GET /api/v1/capabilities",
  "GET /health/health": "GET /health",
  "GET /health/live": "GET /api/v1/health/live",
  "GET /health/ready": "GET /api/v1/health/ready",
  "GET /health/readyz": "GET /api/v1/health/ready",
  "GET /healthz/live": "GET /api/v1/health/live",
  "GET /healthz/ready": "GET /api/v1/health/ready"
} as const satisfies Record<`${string} /${string}`, Route<Endpoints>>
