/** Members that clients of the documented systems send and that mean nothing here. All others that a body does not name are refused. */
import { Schema } from "effect"

const ignored = Schema.optionalKey(Schema.Unknown).annotateKey({ description: "Accepted, and has no effect." })

/** Spread into the struct of the body, under the names that they have on the wire. */
export const ignoredMembers = {
  /** The rest of OAuth 2's password form, and the second factor that nobody has here. */
  login: {
    grant_type: ignored,
    scope: ignored,
    client_id: ignored,
    client_secret: ignored,
    mfa_code: ignored
  },
  /** Nobody chooses a role by sending one. */
  register: { role: ignored, is_active: ignored },
  retry: { reason: ignored, preserve_output: ignored }
}
