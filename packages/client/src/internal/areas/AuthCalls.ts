/** Logging in and out, one's own account, API keys. */
import type { Connection } from "../../Connection.ts"
import type { CallOptions } from "../../FairleadOptions.ts"
import * as api from "../../generated/sdk.gen.ts"
import type {
  ApiKeyRequest,
  Login,
  PasswordChange,
  ProfileChange,
  Register,
  Tokens
} from "../../generated/types.gen.ts"
import { callOf } from "./callOf.ts"

export class AuthCalls {
  readonly #connection: Connection
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Logs in; this client acts as that user from now on, unless it has an API key. `username` may be an e-mail address. */
  async login(body: Login, options?: CallOptions): Promise<Tokens> {
    const tokens = await api.authLogin({ ...callOf(this.#connection, options), body })
    this.#connection.credential.loggedIn?.(tokens)
    return tokens
  }

  /** Ends the session, here and on the server. Works without one. */
  logout(options?: CallOptions) {
    const call = callOf(this.#connection, options)
    const headers = this.#connection.credential.headers("POST")
    const body = this.#connection.credential.logOut?.() ?? {}
    return api.authLogout({ ...call, headers, body })
  }

  /** Makes a user with the role `user`. Does not log in. */
  register(body: Register, options?: CallOptions) {
    return api.authRegister({ ...callOf(this.#connection, options), body })
  }

  /** The account that the credential belongs to. */
  me(options?: CallOptions) {
    return api.authSelf(callOf(this.#connection, options))
  }

  /** Changes one's own `full_name`. */
  updateMe(body: ProfileChange, options?: CallOptions) {
    return api.authUpdateSelf({ ...callOf(this.#connection, options), body })
  }

  /** Ends every other session of the user. */
  changePassword(body: PasswordChange, options?: CallOptions) {
    return api.authChangePassword({ ...callOf(this.#connection, options), body })
  }

  /** Who the caller is, with a CSRF token of the session. Fails with `UNAUTHORIZED` when nobody is logged in. */
  verify(options?: CallOptions) {
    return api.authVerify(callOf(this.#connection, options))
  }

  /** `key` is shown this once. */
  createApiKey(body: ApiKeyRequest, options?: CallOptions) {
    return api.authCreateApiKey({ ...callOf(this.#connection, options), body })
  }

  /** Newest first, without the keys themselves; at most 50. */
  listApiKeys(options?: CallOptions) {
    return api.authListApiKeys(callOf(this.#connection, options))
  }

  revokeApiKey(keyId: string, options?: CallOptions) {
    return api.authRevokeApiKey({ ...callOf(this.#connection, options), path: { key_id: keyId } })
  }
}
