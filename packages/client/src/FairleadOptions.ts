/** What a client is made from. */

export interface TokenPair {
  readonly accessToken: string
  /** Works once. */
  readonly refreshToken: string | undefined
}

interface KeepsTokens {
  /** Called with every new pair, so that it can be kept; with `undefined` once the session has ended. */
  readonly onTokens?: ((tokens: TokenPair | undefined) => void) | undefined
}

/** The cookies that a login sets: for pages on the API's own origin. Works in Node too. */
export interface SessionAuth {
  readonly kind: "session"
}
/** Tokens of a login. Without any, `client.auth.login` gets them. */
export interface BearerAuth extends KeepsTokens {
  readonly kind: "bearer"
  readonly accessToken?: string | undefined
  /** Lets the client renew an access token that has ended; without it, calls fail with `UNAUTHORIZED` then. */
  readonly refreshToken?: string | undefined
}
/** Never ends by itself; acts as its owner. */
export interface ApiKeyAuth {
  readonly kind: "apiKey"
  readonly key: string
}
/** Logs in when it has to, and again when the session has ended. Made by `login`. */
export interface LoginAuth extends KeepsTokens {
  readonly kind: "login"
  readonly username: string
  readonly password: string
}
export type Auth = SessionAuth | BearerAuth | ApiKeyAuth | LoginAuth

/** `auth: login({ username, password })` */
export const login = (credentials: Omit<LoginAuth, "kind">): LoginAuth => ({ kind: "login", ...credentials })

export interface FairleadOptions {
  /** Where the API is, without `/api/v1`: `https://fairlead.example`, or with the path it is mounted under. Absent: the page's own origin. */
  readonly baseUrl?: string | undefined
  /** Absent: only what is public can be called. */
  readonly auth?: Auth | undefined
  /** Sends the requests. A function from `Request` to `Response`, such as an in-process server, will do. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
  /** How often a call that is safe to repeat is repeated; default 2. */
  readonly retries?: number | undefined
  /** Milliseconds until an answer must have come, for each try; default 30,000. What a call itself asks the server to wait is added. */
  readonly timeoutMs?: number | undefined
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The last argument of every call. */
export interface CallOptions {
  /** Ends the call with `ABORTED`. */
  readonly signal?: AbortSignal | undefined
}
