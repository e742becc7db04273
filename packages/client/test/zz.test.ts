import { it } from "@effect/vitest"
import { startHost } from "./support/TestHost.ts"
import { FairleadApi } from "@fairlead/client/effect"
import { Effect, Redacted, Ref, Fiber } from "effect"
import { Cookies, FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { appendFileSync } from "node:fs"
const out = (...a: any[]) => appendFileSync("/tmp/gen/out.log", a.map((x) => typeof x === "string" ? x : JSON.stringify(x)).join(" ") + "\n")
it("x", async () => {
  const host = await startHost()
  const url = await host.listen()
  const r = await fetch(url + "/api/v1/auth/register", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ username: "a23", email: "a@b.example", password: "correct horse battery" }) })
  const l = await fetch(url + "/api/v1/auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ username: "a23", password: "correct horse battery" }) })
  out(r.status, l.status, l.headers.getSetCookie())
  const ref = await Effect.runPromise(Ref.make<ReadonlyArray<Cookies.Cookie>>([]))
  await Effect.runPromise(Effect.gen(function* () {
    const c = (yield* HttpClient.HttpClient).pipe(HttpClient.withCookiesRef(ref))
    const res = yield* c.execute(HttpClientRequest.post(url + "/api/v1/auth/login").pipe(HttpClientRequest.bodyJsonUnsafe({ username: "a23", password: "correct horse battery" })))
    out(res.status, res.url, JSON.stringify(yield* Ref.get(ref)))
  }).pipe(Effect.provide(FetchHttpClient.layer)))
  await host.stop()
})
