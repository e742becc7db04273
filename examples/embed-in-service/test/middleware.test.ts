/** Each framework with what users put in front of a mount: nothing of an answer is lost, nothing of a stream is held back. */
import { createServer, type RequestListener } from "node:http"
import { createRequire } from "node:module"
import compression from "compression"
import cookieParser from "cookie-parser"
import express, { type RequestHandler } from "express"
import session from "express-session"
import helmet from "helmet"
import morgan from "morgan"
import responseTime from "response-time"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Mounted, mount, serving } from "./support/mounted.ts"
import { answersInFull, logIn, readDocument, streamsLive, upgrades } from "./support/useIt.ts"

const express4: typeof express = createRequire(import.meta.url)("express4")

interface Front {
  readonly name: string
  readonly use: ReadonlyArray<RequestHandler>
  /** Whether what is large comes compressed. */
  readonly compresses?: boolean
  /** What the middleware itself adds to a login. */
  readonly adds?: { readonly header?: string; readonly cookie?: string }
}

const logged: Array<string> = []
const log = morgan(":method :url :status :res[content-type]", { stream: { write: (line) => void logged.push(line) } })
const mark: RequestHandler = (_request, response, next) => {
  response.cookie("mark", "own").vary("Origin")
  next()
}
const sessions = session({ secret: "s3cret", resave: true, saveUninitialized: true, name: "sid" })

const fronts: ReadonlyArray<Front> = [
  { name: "nothing", use: [] },
  { name: "compression", use: [compression()], compresses: true },
  { name: "a session that is always saved", use: [sessions], adds: { cookie: "sid" } },
  { name: "a logger", use: [log] },
  { name: "a timer", use: [responseTime()], adds: { header: "x-response-time" } },
  { name: "cookies of its own", use: [cookieParser(), mark], adds: { cookie: "mark" } },
  { name: "security headers", use: [helmet()], adds: { header: "cross-origin-opener-policy" } },
  { name: "body parsers", use: [express.json(), express.urlencoded({ extended: true })] },
  {
    name: "all of it",
    use: [log, responseTime(), helmet(), compression(), cookieParser(), sessions, mark, express.json(), express.urlencoded()],
    compresses: true,
    adds: { header: "x-response-time", cookie: "sid" }
  }
]

let fairlead: Mounted
beforeAll(async () => {
  fairlead = await mount()
}, 60_000)
afterAll(() => fairlead.dispose())

/** Runs Connect middleware one by one, as a service without a framework does. */
const connect =
  (use: ReadonlyArray<RequestHandler>): RequestListener =>
  (request, response) => {
    const step = (at: number): void => {
      const middleware = use[at]
      if (middleware === undefined) return fairlead.handler(request, response)
      Reflect.apply(middleware, undefined, [request, response, () => step(at + 1)])
    }
    step(0)
  }

const applications: Readonly<Record<string, (use: ReadonlyArray<RequestHandler>) => RequestListener>> = {
  "Express 5": (use) => {
    const app = express()
    for (const middleware of use) app.use(middleware)
    return app.use("/cp", fairlead.handler)
  },
  "Express 4": (use) => {
    const app = express4()
    for (const middleware of use) app.use(middleware)
    return app.use("/cp", fairlead.handler)
  },
  "node:http": (use) => connect(use.filter((middleware) => middleware !== mark))
}

for (const [framework, application] of Object.entries(applications)) {
  describe(`${framework} behind`, () => {
    for (const { adds, compresses = false, name, use } of fronts) {
      it(
        name,
        async () => {
          const server = await serving(application(use), fairlead)
          const caller = await logIn(server.url)
          if (adds?.cookie !== undefined && adds.cookie !== "mark") assert.property(Object.fromEntries(caller.cookies), adds.cookie)
          await answersInFull(server.url, caller)
          await streamsLive(server.url, caller)
          await upgrades(server.url)
          const { document, encoding } = await readDocument(server.url)
          assert.strictEqual(encoding, compresses ? "gzip" : undefined)
          assert.deepNestedInclude(document, { "servers[0].url": "/cp" })
          await server.close()
        },
        30_000
      )
    }
  })
}
void createServer
