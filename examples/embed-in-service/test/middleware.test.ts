/** Servers with what users put in front of a mount: nothing of an answer is lost, nothing of a stream is held back. */
import type { RequestListener } from "node:http"
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
import { useAll } from "./support/useIt.ts"

const express4: typeof express = createRequire(import.meta.url)("express4")

interface Front {
  readonly name: string
  readonly use: ReadonlyArray<RequestHandler>
  readonly compresses?: boolean
  /** What the middleware itself adds to an answer. */
  readonly headers?: ReadonlyArray<string>
  readonly cookies?: ReadonlyArray<string>
}

const logged: Array<string> = []
const log = morgan(":method :url :status :res[content-type]", { stream: { write: (line) => void logged.push(line) } })
const mark: RequestHandler = (_request, response, next) => {
  response.appendHeader("set-cookie", "mark=own; Path=/").setHeader("vary", "X-Mark")
  next()
}
const sessions = session({ secret: "s3cret", resave: true, saveUninitialized: true, name: "sid" })
const parsers = [express.json(), express.urlencoded({ extended: true })]

const fronts: ReadonlyArray<Front> = [
  { name: "nothing", use: [] },
  { name: "compression", use: [compression()], compresses: true },
  { name: "a session that is always saved", use: [sessions], cookies: ["sid"] },
  { name: "a logger", use: [log] },
  { name: "a timer", use: [responseTime()], headers: ["x-response-time"] },
  { name: "headers and cookies of its own", use: [cookieParser(), mark], cookies: ["mark"], headers: ["vary"] },
  { name: "security headers", use: [helmet()], headers: ["cross-origin-opener-policy"] },
  { name: "body parsers", use: parsers },
  { name: "a parser that keeps bytes", use: [express.raw({ type: () => true })] },
  { name: "a parser that keeps text", use: [express.text({ type: () => true })] },
  {
    name: "all of it",
    use: [log, responseTime(), helmet(), compression(), cookieParser(), sessions, mark, ...parsers],
    compresses: true,
    headers: ["x-response-time", "vary", "cross-origin-opener-policy"],
    cookies: ["sid", "mark"]
  }
]

let fairlead: Mounted
beforeAll(async () => {
  fairlead = await mount()
}, 60_000)
afterAll(() => fairlead.dispose())

/** Runs middleware one by one, as a service without a framework does. */
const inTurn =
  (use: ReadonlyArray<RequestHandler>): RequestListener =>
  (request, response) => {
    const step = (at: number): void => {
      const middleware = use[at]
      if (middleware === undefined) fairlead.handler(request, response)
      else Reflect.apply(middleware, undefined, [request, response, () => step(at + 1)])
    }
    step(0)
  }

const within = (make: () => express.Express) => (use: ReadonlyArray<RequestHandler>) => {
  const app = make()
  for (const middleware of use) app.use(middleware)
  return app.use("/cp", fairlead.handler)
}

const applications: Readonly<Record<string, (use: ReadonlyArray<RequestHandler>) => RequestListener>> = {
  "Express 5": within(express),
  "Express 4": within(express4),
  "node:http": inTurn
}

for (const [framework, application] of Object.entries(applications)) {
  describe(`${framework} behind`, () => {
    for (const { name, use, ...expected } of fronts) {
      it(name, async () => {
        const server = await serving(application(use), fairlead)
        logged.length = 0
        await useAll(server.url, expected)
        if (use.includes(log)) assert.include(logged, "POST /cp/api/v1/auth/login 200 application/json\n")
        await server.close()
      }, 30_000)
    }
  })
}
