/** What it takes to make a user. */
import type { Redacted } from "effect"

export interface NewUser {
  /** Absent: made from the address, so that it is free. */
  readonly username?: string | undefined
  readonly email: string
  readonly fullName?: string | undefined
  readonly password: Redacted.Redacted
}
