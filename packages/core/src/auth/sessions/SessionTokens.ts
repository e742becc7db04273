/** What a client gets when it logs in or refreshes. */
import type { Redacted } from "effect"
import type { SessionId } from "../../ids/SessionId.ts"
import type { User } from "../users/User.ts"

export interface SessionTokens {
  readonly user: User
  readonly sessionId: SessionId
  /** For the `Authorization` header; short-lived. */
  readonly accessToken: Redacted.Redacted
  readonly accessTokenSeconds: number
  /** For the cookie of browsers; as long as the session. A different token: one kind is refused in the other's place. */
  readonly cookieToken: Redacted.Redacted
  readonly cookieTokenSeconds: number
  /** Usable once, for the next pair. */
  readonly refreshToken: Redacted.Redacted
  /** Bound to the session; proves that a cookie request came from our own pages. */
  readonly csrfToken: string
}
