/**
 * Answers as middleware expects it. Sessions, compression, loggers and timers replace methods of the answer and look at it in `getHeader`
 * and `setHeader` when its head is written. Effect gives all headers to `writeHead`, with no reason before them, where those do not look.
 */
import type { ServerResponse } from "node:http"
import type { Http2ServerResponse } from "node:http2"

export type NodeResponse = ServerResponse | Http2ServerResponse

type Headers = Readonly<Record<string, string | ReadonlyArray<string>>>

/** The same answer. Its headers are set one by one; cookies and `Vary` come beside those that are there. */
export const throughWrapped = (response: NodeResponse): NodeResponse => {
  const writeHead = response.writeHead
  const end = response.end
  let ours: ReadonlyArray<string> = []

  const setHeaders = (headers: Headers) => {
    for (const name of ours) response.removeHeader(name)
    ours = Object.keys(headers).filter((name) => name !== "set-cookie" && name !== "vary")
    for (const [name, value] of Object.entries(headers)) {
      const there = beside(name) ? response.getHeader(name) : undefined
      const values = [there ?? [], value].flat().map(String)
      response.setHeader(name, name === "set-cookie" ? values : values.join(", "))
    }
  }

  return Object.assign(response, {
    writeHead(status: number, ...rest: ReadonlyArray<unknown>) {
      const reason = rest.find((given) => typeof given === "string")
      setHeaders(rest.find(isHeaders) ?? {})
      return Reflect.apply(writeHead, response, reason === undefined ? [status] : [status, reason])
    },
    /** Middleware that writes later knows no callback here, and takes it for a part of the body. */
    end(...given: ReadonlyArray<unknown>) {
      for (const callback of given) if (isCallback(callback)) response.once("finish", callback)
      return Reflect.apply(
        end,
        response,
        given.filter((argument) => !isCallback(argument))
      )
    }
  })
}

const beside = (name: string) => name === "set-cookie" || name === "vary"
const isHeaders = (given: unknown): given is Headers => typeof given === "object" && given !== null
const isCallback = (given: unknown): given is () => void => typeof given === "function"
