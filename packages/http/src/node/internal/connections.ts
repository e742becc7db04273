/** The open connections of a server: so many of all peers and of each, and none that only takes up a node. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"

export interface ConnectionLimits {
  /** Of all peers. */
  readonly total: number
  /** Of one address; one more takes the place of the one that has been silent for longest, or is refused. */
  readonly perAddress: number
  /** A peer that takes nothing of what is written to it for so long is cut off. */
  readonly stalledMillis: number
  /** Addresses without a limit of their own, such as balancers. */
  readonly isExempt: (address: string) => boolean
}

interface Connection {
  readonly address: string
  /** Requests in hand. */
  requests: number
  /** Bytes that the peer's side had taken when it last took any, and when that was. */
  taken: number
  takenMillis: number
}

export interface Connections {
  add(socket: Socket): void
  /** Until the response closes the connection is not silent. */
  busy(request: IncomingMessage, response: ServerResponse): void
  /** From now on it is a connection of another kind, and never silent. */
  upgraded(socket: Duplex): void
  /** Cuts those off that take nothing. To be called about once a second. */
  sweep(): void
}

export const make = ({ isExempt, perAddress, stalledMillis, total }: ConnectionLimits): Connections => {
  const open = new Map<Socket, Connection>()
  /** Those without a request in hand, by address, the longest silent first. */
  const silent = new Map<string, Set<Socket>>()
  const counts = new Map<string, number>()

  const setSilent = (address: string, socket: Socket) => {
    const sockets = silent.get(address) ?? new Set()
    silent.set(address, sockets.add(socket))
  }
  const setBusy = (address: string, socket: Socket) => {
    const sockets = silent.get(address)
    sockets?.delete(socket)
    if (sockets?.size === 0) silent.delete(address)
  }
  const remove = (socket: Socket) => {
    const connection = open.get(socket)
    if (connection === undefined) return
    const { address } = connection
    open.delete(socket)
    setBusy(address, socket)
    const left = (counts.get(address) ?? 1) - 1
    if (left === 0) counts.delete(address)
    else counts.set(address, left)
  }
  const cut = (socket: Socket) => {
    remove(socket)
    socket.destroy()
  }
  /** Whether there is a node for one more of this address now. */
  const makeRoom = (address: string) => {
    if ((counts.get(address) ?? 0) < perAddress || isExempt(address)) return open.size < total
    const [longest] = silent.get(address) ?? []
    if (longest !== undefined) cut(longest)
    return longest !== undefined
  }

  return {
    add: (socket) => {
      const address = socket.remoteAddress ?? ""
      if (!makeRoom(address)) return void socket.destroy()
      open.set(socket, { address, requests: 0, taken: 0, takenMillis: performance.now() })
      counts.set(address, (counts.get(address) ?? 0) + 1)
      setSilent(address, socket)
      socket.once("close", () => remove(socket))
    },
    busy: ({ socket }, response) => {
      const connection = open.get(socket)
      if (connection === undefined) return
      if (connection.requests++ === 0) setBusy(connection.address, socket)
      response.once("close", () => {
        if (--connection.requests === 0 && open.has(socket)) setSilent(connection.address, socket)
      })
    },
    upgraded: (socket) => {
      if (!(socket instanceof Socket)) return
      const connection = open.get(socket)
      if (connection === undefined) return
      connection.requests++
      setBusy(connection.address, socket)
    },
    sweep: () => {
      for (const socket of stalled(open, stalledMillis)) cut(socket)
    }
  }
}

/** Those with something to take that have taken nothing for so long. */
const stalled = (open: ReadonlyMap<Socket, Connection>, stalledMillis: number): ReadonlyArray<Socket> => {
  const now = performance.now()
  const found: Array<Socket> = []
  for (const [socket, connection] of open) {
    const taken = socket.bytesWritten - socket.writableLength
    if (socket.writableLength === 0 || taken !== connection.taken) {
      connection.taken = taken
      connection.takenMillis = now
    } else if (now - connection.takenMillis >= stalledMillis) found.push(socket)
  }
  return found
}
