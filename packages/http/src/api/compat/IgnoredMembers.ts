/** Members that clients of the documented systems send and that mean nothing here. All others that a body does not name are refused. */
import { Schema } from "effect"

const members = {
  /** The rest of OAuth 2's password form, and the second factor that nobody has here. */
  login: ["grant_type", "scope", "client_id", "client_secret", "mfa_code"],
  /** Nobody chooses a role by sending one. */
  register: ["role", "is_active"],
  retry: ["reason", "preserve_output"]
} as const

const ignored = Schema.optionalKey(Schema.Unknown).annotateKey({ description: "Accepted, and has no effect." })

/** Spread into the struct of the body, under the names that they have on the wire. */
export const ignoredMembers = <K extends keyof typeof members>(body: K) =>
  Object.fromEntries(members[body].map((name) => [name, ignored])) as {
    readonly [N in (typeof members)[K][number]]: typeof ignored
  }
