import { assert, layer } from "@effect/vitest"
import { FairleadApi, type RedactedTokens } from "@fairlead/client/effect"
import { ExecutionNotFound } from "@fairlead/core/executions/ExecutionError"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { Context, Effect, Layer, Option, Redacted, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { baseUrl, startHost, type TestHost } from "./support/TestHost.ts"

class Host extends Context.Service<Host, TestHost>()("test/Host") {}

const hosted = FetchHttpClient.layer.pipe(
  Layer.provideMerge(
    Layer.effect(
      FetchHttpClient.Fetch,
      Effect.map(Host, (host) => (input, init) => host.fetch(new Request(input, init)))
    )
  ),
  Layer.provideMerge(
    Layer.effect(
      Host,
      Effect.acquireRelease(
        Effect.promise(() => startHost()),
        (host) => Effect.promise(host.stop)
      )
    )
  )
)

const password = Redacted.make("correct horse battery")
const nobody = ExecutionId.make("019a0000-0000-7000-9000-000000000001")

/** Registers a user and answers with the tokens of a login. */
const tokensOf = Effect.fnUntraced(
  function* (username: string) {
    const { auth } = yield* FairleadApi
    yield* auth.register({ payload: { username, email: `${username}@example.org`, password } })
    return yield* auth.login({ payload: { username, password } })
  },
  Effect.provide(FairleadApi.layer({ baseUrl }))
)

layer(hosted, { excludeTestServices: true })("FairleadApi", (it) => {
  it.effect("acts as the owner of an API key, and fails with the errors of core", () =>
    Effect.gen(function* () {
      const { accessToken } = yield* tokensOf("anna")
      const key = yield* Effect.gen(function* () {
        const { auth } = yield* FairleadApi
        return yield* auth.createApiKey({ payload: { name: "ci" } })
      }).pipe(Effect.provide(FairleadApi.layerBearer({ baseUrl, accessToken: Redacted.make(accessToken) })))

      yield* Effect.gen(function* () {
        const { auth, executions } = yield* FairleadApi
        assert.strictEqual((yield* auth.self({})).username, "anna")
        const missing = yield* Effect.flip(executions.get({ params: { execution_id: nobody } }))
        assert.deepStrictEqual(missing, new ExecutionNotFound({ executionId: nobody }))
      }).pipe(Effect.provide(FairleadApi.layerApiKey({ baseUrl, key: Redacted.make(key.key) })))
    })
  )

  it.effect("renews tokens once for all calls that are refused", () =>
    Effect.gen(function* () {
      const { refreshToken } = yield* tokensOf("bert")
      const seen: Array<RedactedTokens> = []
      const bearer = FairleadApi.layerBearer({
        baseUrl,
        accessToken: Redacted.make("ended"),
        refreshToken: Redacted.make(refreshToken),
        onTokens: (tokens) => Effect.sync(() => void seen.push(tokens))
      })
      yield* Effect.gen(function* () {
        const { auth } = yield* FairleadApi
        const users = yield* Effect.all([auth.self({}), auth.self({}), auth.self({})], { concurrency: 3 })
        assert.deepStrictEqual(
          users.map(({ username }) => username),
          ["bert", "bert", "bert"]
        )
      }).pipe(Effect.provide(bearer))
      assert.strictEqual(seen.length, 1)
    })
  )

  it.effect("fails with Unauthorized when the refresh token is refused", () =>
    Effect.gen(function* () {
      const { auth } = yield* FairleadApi
      assert.strictEqual((yield* Effect.flip(auth.self({})))._tag, "Unauthorized")
    }).pipe(
      Effect.provide(
        FairleadApi.layerBearer({ baseUrl, accessToken: Redacted.make("a"), refreshToken: Redacted.make("b") })
      )
    )
  )

  it.effect("runs a script in a session of cookies and streams its frames, over HTTP", () =>
    Effect.gen(function* () {
      yield* tokensOf("cleo")
      const host = yield* Host
      const address = yield* Effect.promise(host.listen)
      const program = Effect.gen(function* () {
        const { auth, executions } = yield* FairleadApi
        yield* auth.login({ payload: { username: "cleo", password } })
        const payload = { script: "out hello", lang: "python", langVersion: "3.11" }
        const { body } = yield* executions.submit({ headers: {}, query: {}, payload })
        const params = { execution_id: body.executionId }
        const frames = yield* executions.stream({ params, query: {}, headers: {} })
        if (frames === undefined) return yield* Effect.die("an execution that was just made has something to tell")
        const last = yield* Stream.runLast(frames)
        assert.deepInclude(Option.getOrThrow(last), { eventType: "result_stored" })
        const result = yield* executions.result({ params, query: {} })
        assert.deepInclude(result, { status: "completed", stdout: "hello\n" })
      })
      yield* program.pipe(
        Effect.provide(FairleadApi.layerSession({ baseUrl: address })),
        Effect.provideService(FetchHttpClient.Fetch, globalThis.fetch)
      )
    })
  )
})
