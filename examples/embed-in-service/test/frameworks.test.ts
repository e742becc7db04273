/** Frameworks that send answers themselves, with plugins of theirs that look at every answer; and HTTP/2. */
import { connect, createServer as createHttp2Server, type IncomingHttpHeaders } from "node:http2"
import fastifyCompress from "@fastify/compress"
import fastifyCookie from "@fastify/cookie"
import fastifySession from "@fastify/session"
import { serve } from "@hono/node-server"
import compression from "compression"
import type { RequestHandler } from "express"
import Fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify"
import type { MiddlewareHandler } from "hono"
import { compress } from "hono/compress"
import { setCookie } from "hono/cookie"
import { logger } from "hono/logger"
import { timing } from "hono/timing"
import type { Middleware } from "koa"
import koaBodyParser from "koa-bodyparser"
import koaCompress from "koa-compress"
import koaSession from "koa-session"
import morgan from "morgan"
import responseTime from "response-time"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { fairleadPlugin, fastifyApp } from "../src/fastify.ts"
import { honoApp } from "../src/hono.ts"
import { koaApp } from "../src/koa.ts"
import { credentials, type Mounted, mount, serving } from "./support/mounted.ts"
import { type Expected, useAll } from "./support/useIt.ts"

let fairlead: Mounted
beforeAll(async () => {
  fairlead = await mount()
}, 60_000)
afterAll(() => fairlead.dispose())

const seconds = 30_000

describe("Fastify behind", () => {
  const front =
    (plugin: (app: FastifyInstance) => unknown, options: FastifyServerOptions = {}) =>
    async () => {
      const app = Fastify(options)
      await plugin(app)
      app.register(fairleadPlugin(fairlead))
      app.server.on("upgrade", fairlead.upgrade)
      return app
    }
  const sessions = async (app: FastifyInstance) => {
    await app.register(fastifyCookie)
    await app.register(fastifySession, {
      secret: "a secret of thirty-two bytes or more",
      cookieName: "sid",
      cookie: { secure: false }
    })
  }
  const timer = (app: FastifyInstance) =>
    app.addHook("onSend", async (_request, reply, payload) => {
      reply.header("x-response-time", `${reply.elapsedTime}ms`)
      return payload
    })
  const logged: Array<string> = []
  const logs = { logger: { stream: { write: (line: string) => void logged.push(line) } } }
  /** Its parsers stay on, and hand over what they made of a body. */
  const withParsers = async () => {
    const app = Fastify()
    app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) =>
      done(null, body)
    )
    app.all("/cp/*", async (request, reply) => reply.send(await fairlead.respond(request.raw, request.body)))
    app.server.on("upgrade", fairlead.upgrade)
    return app
  }

  const fronts: Readonly<Record<string, readonly [() => FastifyInstance | Promise<FastifyInstance>, Expected]>> = {
    nothing: [() => fastifyApp(fairlead), {}],
    compression: [front((app) => app.register(fastifyCompress)), { compresses: true }],
    sessions: [front(sessions), { cookies: ["sid"] }],
    "a timer": [front(timer), { headers: ["x-response-time"] }],
    "a logger": [front(() => {}, logs), {}],
    "body parsers": [withParsers, {}],
    "all of it": [
      front(async (app) => {
        await app.register(fastifyCompress)
        await sessions(app)
        timer(app)
      }, logs),
      { compresses: true, cookies: ["sid"], headers: ["x-response-time"] }
    ]
  }
  for (const [name, [make, expected]] of Object.entries(fronts))
    it(
      name,
      async () => {
        const app = await make()
        logged.length = 0
        await useAll(await app.listen({ host: "127.0.0.1", port: 0 }), expected)
        if (name === "a logger") assert.match(logged.join(""), /"statusCode":206.*"msg":"request completed"/)
        app.server.closeAllConnections()
        await app.close()
      },
      seconds
    )
})

describe("Koa behind", () => {
  const session = (app: ReturnType<typeof koaApp>) => {
    app.keys = ["s3cret"]
    return koaSession({ key: "sid", rolling: true }, app)
  }
  const fill: Parameters<typeof koaApp>[1] = [
    (context, next) => {
      const session = context["session"]
      if (session !== undefined) session["seen"] = true
      context.set("x-seen", "yes")
      return next()
    }
  ]
  const logged: Array<string> = []
  const logger: Middleware = async (context, next) => {
    await next()
    logged.push(`${context.method} ${context.path} ${context.status} ${context.type}`)
  }
  const timer: Middleware = async (context, next) => {
    const began = performance.now()
    await next()
    context.set("x-response-time", `${performance.now() - began}ms`)
  }
  const fronts: Readonly<Record<string, readonly [Parameters<typeof koaApp>[1], Expected]>> = {
    nothing: [[], {}],
    compression: [[koaCompress()], { compresses: true }],
    "a logger": [[logger], {}],
    "a timer": [[timer], { headers: ["x-response-time"] }],
    "headers of its own": [fill, { headers: ["x-seen"] }],
    "a body parser": [[koaBodyParser()], {}],
    "all of it": [
      [logger, timer, koaCompress(), koaBodyParser(), ...fill],
      { compresses: true, headers: ["x-seen", "x-response-time"] }
    ]
  }
  for (const [name, [front, expected]] of Object.entries(fronts))
    it(
      name,
      async () => {
        const server = await serving(koaApp(fairlead, front).callback(), fairlead)
        logged.length = 0
        await useAll(server.url, expected)
        if (front?.includes(logger)) assert.include(logged, "POST /cp/api/v1/auth/login 200 application/json")
        await server.close()
      },
      seconds
    )

  it(
    "a session",
    async () => {
      const app = koaApp(fairlead, [(context, next) => sessions(context, next), ...fill])
      const sessions = session(app)
      const server = await serving(app.callback(), fairlead)
      await useAll(server.url, { cookies: ["sid"] })
      await server.close()
    },
    seconds
  )
})

describe("Hono behind", () => {
  /** As sessions do, once the answer is there. */
  const ownCookie: MiddlewareHandler = async (context, next) => {
    await next()
    setCookie(context, "sid", "own")
  }
  const fronts: Readonly<Record<string, readonly [Parameters<typeof honoApp>[1], Expected]>> = {
    nothing: [[], {}],
    compression: [[compress()], { compresses: true }],
    "a logger": [[logger(() => {})], {}],
    "a timer": [[timing()], { headers: ["server-timing"] }],
    "a cookie of its own": [[ownCookie], { cookies: ["sid"] }],
    "all of it": [
      [logger(() => {}), timing(), ownCookie, compress()],
      { compresses: true, cookies: ["sid"], headers: ["server-timing"] }
    ]
  }
  for (const [name, [front, expected]] of Object.entries(fronts))
    it(
      name,
      async () => {
        const { server, url } = await new Promise<{ url: string; server: ReturnType<typeof serve> }>((resolve) => {
          const { fetch } = honoApp(fairlead.fetch, front)
          const server = serve({ fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) =>
            resolve({ server, url: `http://127.0.0.1:${port}` })
          )
        })
        server.on("upgrade", fairlead.upgrade)
        await useAll(url, expected)
        server.close()
        if ("closeAllConnections" in server) server.closeAllConnections()
      },
      seconds
    )
})

describe("node:http2 without TLS", () => {
  const fronts: Readonly<Record<string, readonly [RequestHandler | undefined, ReadonlyArray<string>]>> = {
    nothing: [undefined, []],
    compression: [compression(), ["content-encoding"]],
    "a logger": [morgan("tiny", { stream: { write: () => {} } }), []],
    "a timer": [responseTime(), ["x-response-time"]]
  }
  for (const [name, [front, added]] of Object.entries(fronts))
    it(
      `keeps status, headers, cookies and streams behind ${name}`,
      async () => {
        const server = createHttp2Server((request, response) => {
          const next = () => fairlead.handler(request, response)
          if (front === undefined) next()
          else Reflect.apply(front, undefined, [request, response, next])
        })
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
        const address = server.address()
        const session = connect(`http://127.0.0.1:${typeof address === "object" ? address?.port : address}`)
        const ask = (path: string, headers: Readonly<Record<string, string>>, body?: string) =>
          new Promise<{ readonly headers: IncomingHttpHeaders; readonly text: string }>((resolve, reject) => {
            const stream = session.request({
              ":path": `/cp${path}`,
              ":method": body === undefined ? "GET" : "POST",
              ...headers
            })
            let got: IncomingHttpHeaders = {}
            let text = ""
            stream.setEncoding("utf8")
            stream.on("response", (received) => {
              got = received
            })
            stream.on("data", (chunk) => {
              text += chunk
            })
            stream.on("end", () => resolve({ headers: got, text }))
            stream.on("error", reject)
            stream.end(body)
          })

        const form = { "content-type": "application/x-www-form-urlencoded" }
        const login = await ask("/api/v1/auth/login", form, `${new URLSearchParams(credentials)}`)
        assert.strictEqual(Number(login.headers[":status"]), 200)
        const document = await ask("/openapi.json", { "accept-encoding": "gzip" })
        for (const header of added) assert.property(document.headers, header)
        const [access = "", csrf = ""] = login.headers["set-cookie"] ?? []
        assert.match(access, /^access_token_cp=.*; Path=\/cp; HttpOnly/)
        const cookies = [access, csrf].map((line) => line.replace(/;.*/, ""))
        const own = { cookie: cookies.join("; "), "x-csrf-token": cookies[1]?.replace(/.*=/, "") ?? "" }
        const script = JSON.stringify({ script: "echo two", lang: "bash", lang_version: "5" })
        const submitted = await ask("/api/v1/executions", { ...own, "content-type": "application/json" }, script)
        const id = JSON.parse(submitted.text).execution_id
        const events = await ask(`/api/v1/events/executions/${id}`, own)
        assert.match(`${events.headers["content-type"]}`, /^text\/event-stream/)
        assert.include(events.text, '"event_type":"result_stored"')
        const result = JSON.parse((await ask(`/api/v1/executions/${id}/result`, own)).text)
        assert.deepInclude(result, { status: "completed", stdout: "two\n" })
        await new Promise<void>((resolve) => session.close(resolve))
        await new Promise<void>((resolve) => server.close(() => resolve()))
      },
      seconds
    )
})
