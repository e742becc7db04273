/** How a connection proves who is calling. */

import type { FairleadError } from "../FairleadError.ts"
import type { Client } from "../generated/client/index.ts"
import type { Tokens } from "../generated/types.gen.ts"

export interface Credential {
  /** Whether browsers send and keep their cookies. */
  readonly cookies: "include" | "omit"
  /** What is added to a request. */
  headers(method: string): Readonly<Record<string, string>>
  /** Sees every answer. */
  received?(response: Response): void
  /** True when the request, sent with `used`, may be tried once more. `bare` sends without a credential and never repeats. */
  renew?(error: FairleadError, used: Readonly<Record<string, string>>, bare: Client): Promise<boolean>
  /** A login through this connection succeeded. */
  loggedIn?(tokens: Tokens): void
  /** Needed to end the session on the server; forgotten here at the same time. */
  logOut?(): { readonly refresh_token: string } | undefined
}
