/** Access and refresh tokens, traded for new ones when the server says that the access token has ended. */
import { FairleadError } from "../FairleadError.ts"
import type { BearerAuth, LoginAuth, TokenPair } from "../FairleadOptions.ts"
import type { Client } from "../generated/client/index.ts"
import { authLogin, authRefresh } from "../generated/sdk.gen.ts"
import type { Tokens } from "../generated/types.gen.ts"
import type { Credential } from "./Credential.ts"

export class Bearer implements Credential {
  readonly cookies = "omit"
  readonly #auth: BearerAuth | LoginAuth
  #pair: TokenPair | undefined
  /** All calls that are refused meanwhile wait for the same renewal: a refresh token works once. */
  #renewal: Promise<boolean> | undefined
  /** Once the server refuses the password, asking again would only lock the account. */
  #refused: FairleadError | undefined

  constructor(auth: BearerAuth | LoginAuth) {
    this.#auth = auth
    if (auth.kind !== "bearer" || auth.accessToken === undefined) return
    this.#pair = { accessToken: auth.accessToken, refreshToken: auth.refreshToken }
  }

  headers(): { readonly authorization?: string } {
    return this.#pair === undefined ? {} : { authorization: `Bearer ${this.#pair.accessToken}` }
  }

  async renew({ code }: FairleadError, used: Readonly<Record<string, string>>, bare: Client): Promise<boolean> {
    if (code !== "UNAUTHORIZED") return false
    // Another call has renewed since this one was sent.
    if (this.#pair !== undefined && used["authorization"] !== this.headers().authorization) return true
    this.#renewal ??= this.#obtain(bare).finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  loggedIn({ access_token, refresh_token }: Tokens): void {
    this.#refused = undefined
    this.#pair = { accessToken: access_token, refreshToken: refresh_token }
    this.#auth.onTokens?.(this.#pair)
  }

  logOut(): { readonly refresh_token: string } | undefined {
    const refreshToken = this.#pair?.refreshToken
    this.#forget()
    return refreshToken === undefined ? undefined : { refresh_token: refreshToken }
  }

  #forget() {
    if (this.#pair === undefined) return
    this.#pair = undefined
    this.#auth.onTokens?.(undefined)
  }

  async #obtain(client: Client): Promise<boolean> {
    const refreshToken = this.#pair?.refreshToken
    if (refreshToken === undefined) return this.#logIn(client)
    const refresh = () => authRefresh({ client, body: { refresh_token: refreshToken } })
    try {
      // For some seconds the server answers the same again: an answer that was lost does not end the session.
      this.loggedIn(await refresh().catch((error) => (isOf(error, "NETWORK") ? refresh() : Promise.reject(error))))
      return true
    } catch (error) {
      if (!isOf(error, "TOKEN_REJECTED")) throw error
      this.#forget()
      if (await this.#logIn(client)) return true
      throw error
    }
  }

  async #logIn(client: Client): Promise<boolean> {
    if (this.#auth.kind !== "login") return false
    if (this.#refused !== undefined) throw this.#refused
    const { password, username } = this.#auth
    try {
      this.loggedIn(await authLogin({ client, body: { username, password } }))
      return true
    } catch (error) {
      if (isOf(error, "CREDENTIALS_REJECTED")) this.#refused = error
      throw error
    }
  }
}

const isOf = (error: unknown, code: string): error is FairleadError =>
  error instanceof FairleadError && error.code === code
