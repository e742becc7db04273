/**
 * The API as an Effect service, derived from the contract: requests are checked and answers decoded by its schemas, errors are the classes
 * of core, and streams are `Stream`s.
 */
import { Api } from "@fairlead/http/api/Api"
import { Context, Effect, Layer, Redacted, Ref, Schema, Semaphore } from "effect"
import { type Cookies, FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { readableCsrf } from "../../internal/readableCsrf.ts"

export interface FairleadApiOptions {
  /** Where the API is, without `/api/v1`. */
  readonly baseUrl: string
}

export interface RedactedTokens {
  readonly accessToken: Redacted.Redacted
  /** Works once. */
  readonly refreshToken?: Redacted.Redacted | undefined
}

export interface BearerOptions extends FairleadApiOptions, RedactedTokens {
  /** Run with every new pair, so that it can be kept. */
  readonly onTokens?: ((tokens: RedactedTokens) => Effect.Effect<void>) | undefined
}

export class FairleadApi extends Context.Service<FairleadApi, HttpApiClient.ForApi<typeof Api>>()(
  "@fairlead/client/effect/FairleadApi"
) {
  /** Without a credential: only what is public can be called. */
  static readonly layer = ({ baseUrl }: FairleadApiOptions) =>
    Layer.effect(
      FairleadApi,
      make(baseUrl, (client) => client)
    )

  static readonly layerApiKey = ({ baseUrl, key }: FairleadApiOptions & { readonly key: Redacted.Redacted }) =>
    Layer.effect(
      FairleadApi,
      make(baseUrl, HttpClient.mapRequest(HttpClientRequest.setHeader("x-api-key", Redacted.value(key))))
    )

  /** Trades the refresh token for new ones when the access token has ended; calls that are refused meanwhile wait for the same trade. */
  static readonly layerBearer = (options: BearerOptions) =>
    Layer.effect(
      FairleadApi,
      Effect.gen(function* () {
        const renewing = yield* bearer(options)
        return yield* make(options.baseUrl, renewing)
      })
    )

  /** The cookies of a login through this client; writes repeat the CSRF token. */
  static readonly layerSession = ({ baseUrl }: FairleadApiOptions) =>
    Layer.effect(
      FairleadApi,
      Effect.gen(function* () {
        const cookies = yield* Ref.make<ReadonlyArray<Cookies.Cookie>>([])
        const transformClient = session(baseUrl, cookies)
        return yield* HttpApiClient.make(Api, { transformClient })
      })
    )
}

const make = (baseUrl: string, credential: (client: HttpClient.HttpClient) => HttpClient.HttpClient) =>
  HttpApiClient.make(Api, { baseUrl, transformClient: credential })

const bearer = Effect.fnUntraced(function* ({ accessToken, baseUrl, onTokens, refreshToken }: BearerOptions) {
  const tokens = yield* Ref.make<RedactedTokens>({ accessToken, refreshToken })
  const oneAtATime = yield* Semaphore.make(1)
  const plain = yield* make(baseUrl, (client) => client)

  /** The tokens to try once more with; none when there are no others to be had. */
  const renew = Effect.fnUntraced(
    function* (used: RedactedTokens) {
      const current = yield* Ref.get(tokens)
      if (current !== used) return current
      if (current.refreshToken === undefined) return undefined
      const answer = yield* plain.auth.refresh({ payload: { refresh_token: current.refreshToken } })
      const fresh = {
        accessToken: Redacted.make(answer.accessToken),
        refreshToken: Redacted.make(answer.refreshToken)
      }
      yield* Ref.set(tokens, fresh)
      if (onTokens !== undefined) yield* onTokens(fresh)
      return fresh
    },
    // A refresh token works once: whoever has sent it keeps what comes for it.
    Effect.uninterruptible,
    oneAtATime.withPermits(1),
    Effect.catchTag("TokenRejected", () =>
      Effect.as(
        Ref.update(tokens, ({ accessToken }) => ({ accessToken })),
        undefined
      )
    ),
    // Whatever else went wrong, the caller has its own refusal to tell.
    Effect.catch(() => Effect.undefined)
  )

  return (client: HttpClient.HttpClient) =>
    HttpClient.transform(client, (_, request) =>
      Effect.gen(function* () {
        const used = yield* Ref.get(tokens)
        const response = yield* client.execute(HttpClientRequest.bearerToken(request, used.accessToken))
        if (response.status !== 401 || !isUnauthorized(yield* response.json)) return response
        const renewed = yield* renew(used)
        if (renewed === undefined) return response
        return yield* client.execute(HttpClientRequest.bearerToken(request, renewed.accessToken))
      })
    )
})

const isUnauthorized = Schema.is(Schema.Struct({ code: Schema.Literal("UNAUTHORIZED") }))

const session = (baseUrl: string, cookies: Ref.Ref<ReadonlyArray<Cookies.Cookie>>) => (client: HttpClient.HttpClient) =>
  client.pipe(
    // Before the cookies, which are chosen by the address.
    HttpClient.mapRequest(HttpClientRequest.prependUrl(baseUrl)),
    HttpClient.withCookiesRef(cookies),
    HttpClient.mapRequestEffect((request) =>
      Effect.map(Ref.get(cookies), (kept) => {
        const token = kept.find(({ name }) => name.startsWith("csrf_token"))?.value ?? readableCsrf(baseUrl)
        return token === undefined || request.method === "GET" || request.method === "HEAD"
          ? request
          : HttpClientRequest.setHeader(request, "x-csrf-token", token)
      })
    ),
    HttpClient.transformResponse(Effect.provideService(FetchHttpClient.RequestInit, { credentials: "include" }))
  )
