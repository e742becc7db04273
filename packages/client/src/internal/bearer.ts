/** Access and refresh tokens, traded for new ones when the server says that the access token has ended. */
import { FairleadError } from "../FairleadError.ts"
import type { BearerAuth, LoginAuth, TokenPair } from "../FairleadOptions.ts"
import type { Client } from "../generated/client/index.ts"
import { authLogin, authRefresh } from "../generated/sdk.gen.ts"
import type { Tokens } from "../generated/types.gen.ts"
import type { Credential } from "./Credential.ts"

export const bearer = (auth: BearerAuth | LoginAuth): Credential => {
  let pair: TokenPair | undefined =
    auth.kind === "bearer" && auth.accessToken !== undefined
      ? { accessToken: auth.accessToken, refreshToken: auth.refreshToken }
      : undefined
  /** All calls that are refused meanwhile wait for the same renewal: a refresh token works once. */
  let renewal: Promise<boolean> | undefined
  /** Once the server refuses the password, asking again would only lock the account. */
  let refused: FairleadError | undefined

  const keep = (tokens: Tokens) => {
    refused = undefined
    pair = { accessToken: tokens.access_token, refreshToken: tokens.refresh_token }
    auth.onTokens?.(pair)
  }
  const forget = () => {
    pair = undefined
    auth.onTokens?.(undefined)
  }

  const logIn = async (client: Client): Promise<boolean> => {
    if (auth.kind !== "login") return false
    if (refused !== undefined) throw refused
    try {
      keep(await authLogin({ client, body: { username: auth.username, password: auth.password } }))
      return true
    } catch (error) {
      if (error instanceof FairleadError && error.code === "CREDENTIALS_REJECTED") refused = error
      throw error
    }
  }
  const obtain = async (client: Client): Promise<boolean> => {
    const refreshToken = pair?.refreshToken
    if (refreshToken === undefined) return logIn(client)
    const refresh = () => authRefresh({ client, body: { refresh_token: refreshToken } })
    try {
      // For some seconds the server answers the same again: an answer that was lost does not end the session.
      keep(
        await refresh().catch((error: FairleadError) => (error.code === "NETWORK" ? refresh() : Promise.reject(error)))
      )
      return true
    } catch (error) {
      if (!(error instanceof FairleadError && error.code === "TOKEN_REJECTED")) throw error
      forget()
      if (await logIn(client)) return true
      throw error
    }
  }

  const authorization = () => (pair === undefined ? undefined : `Bearer ${pair.accessToken}`)
  return {
    cookies: "omit",
    headers: () => {
      const value = authorization()
      return value === undefined ? {} : { authorization: value }
    },
    renew: async ({ code }, used, bare) => {
      if (code !== "UNAUTHORIZED") return false
      // Another call has renewed since this one was sent.
      if (pair !== undefined && used["authorization"] !== authorization()) return true
      renewal ??= obtain(bare).finally(() => {
        renewal = undefined
      })
      return renewal
    },
    loggedIn: keep,
    logOut: () => {
      const refreshToken = pair?.refreshToken
      if (pair !== undefined) forget()
      return refreshToken === undefined ? undefined : { refresh_token: refreshToken }
    }
  }
}
