// Serves the page and passes everything below /api on to a host, so that page and API have one origin and cookies need no more than that.
//   FAIRLEAD_URL=http://127.0.0.1:8080 PORT=8090 node serve.js

import { readFile } from "node:fs/promises"
import { createServer, request as send } from "node:http"
import { pipeline } from "node:stream"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const host = new URL(process.env.FAIRLEAD_URL ?? "http://127.0.0.1:8080")
const port = Number(process.env.PORT ?? 8090)

const { outputFiles } = await build({
  entryPoints: [here("src/app.ts")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  write: false
})
const files = {
  "/": ["text/html; charset=utf-8", await readFile(here("index.html"))],
  "/style.css": ["text/css; charset=utf-8", await readFile(here("style.css"))],
  "/app.js": ["text/javascript; charset=utf-8", outputFiles[0].contents]
}
const security = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer"
}

/** Streams both ways; a browser that goes away ends the call at the host too. */
const passOn = (request, response) => {
  const { connection: _, ...headers } = request.headers
  const call = send(new URL(request.url, host), { method: request.method, headers: { ...headers, host: host.host } })
  call.on("response", (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    response.flushHeaders()
    pipeline(answer, response, () => undefined)
  })
  call.on("error", () => {
    if (response.headersSent) response.destroy()
    else response.writeHead(502, { "content-type": "text/plain" }).end("The host does not answer.\n")
  })
  response.on("close", () => call.destroy())
  pipeline(request, call, () => undefined)
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://page")
  if (pathname.startsWith("/api/")) return passOn(request, response)
  const file = files[pathname]
  if (file === undefined) return response.writeHead(404, security).end()
  return response.writeHead(200, { ...security, "content-type": file[0], "cache-control": "no-cache" }).end(file[1])
})
server.listen(port, "127.0.0.1", () => {
  console.log(`The page is at http://127.0.0.1:${server.address().port} and talks to ${host.origin}`)
})
