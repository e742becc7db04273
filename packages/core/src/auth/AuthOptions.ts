/** The choices of the auth areas. An instance replaces some of them once, at start-up: `Layer.succeed(AuthOptions, { ...authDefaults, … })`. */
import { Context } from "effect"

const numbers = {
  /** Life of the token for the `Authorization` header. */
  accessTokenSeconds: 3_600,
  /** Life of the token in the cookie. */
  cookieTokenSeconds: 86_400,
  /** Longest time between two refreshes; then the session ends. */
  sessionSeconds: 604_800,
  /** How long the refresh token before the current is answered with the same successor. */
  refreshGraceMillis: 10_000,
  /** Live sessions of a user; a login beyond them ends the oldest. At least 1. */
  sessionsPerUser: 20,
  /** Failed logins that lock a name. */
  loginFailures: 5,
  /** Window in which they are counted, and length of the lock. */
  lockSeconds: 900,
  minimumPasswordLength: 8,
  /** Passwords hashed or checked at once on this instance. */
  passwordsAtOnce: 4,
  /** Callers that wait for their turn beyond those; more are refused. */
  passwordsWaiting: 32,
  apiKeysPerUser: 50,
  /** Registrations from one address within `registrationSeconds`; more are refused. */
  registrationsPerAddress: 20,
  registrationSeconds: 3_600,
  /** Verified tokens, sessions and keys kept in memory, each. */
  cacheEntries: 10_000,
  /** Longest time for which a change that was not heard of goes unnoticed. */
  cacheMillis: 5_000
}
/** Whether people may register themselves. */
export type Registration = "open" | "closed"

export interface AuthChoices extends Readonly<Record<keyof typeof numbers, number>> {
  readonly registration: Registration
}

export const authDefaults: AuthChoices = { ...numbers, registration: "closed" }

export const AuthOptions = Context.Reference<AuthChoices>("@fairlead/core/auth/AuthOptions", {
  defaultValue: () => authDefaults
})
