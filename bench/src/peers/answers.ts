/** What the peers answer, as the host does: the same members, and headers of the same names and lengths. */
import { randomUUID } from "node:crypto"

export const sessions = new Map([["token-0001", { username: "admin", role: "admin" }]])

export const headers = () => ({
  "content-type": "application/json",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-request-id": randomUUID()
})

/** As long as the host keeps a connection without a request. */
export const keepAliveTimeout = 75_000

export const account = {
  user_id: "019a0000-0000-7000-8000-000000000001",
  id: "019a0000-0000-7000-8000-000000000001",
  username: "admin",
  email: "admin@localhost",
  full_name: null,
  role: "admin",
  is_active: true,
  is_superuser: true,
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:00.000Z",
  last_login_at: "2026-01-01T00:00:00.000Z",
  cluster_permissions: {}
}

export const cancelled = {
  execution_id: "019a0000-0000-7000-8000-000000000001",
  status: "already_cancelled",
  message: "Execution was already cancelled",
  event_id: "-1"
}
