/** The byte pipe between the wire client and PGlite: takes the place of a socket, in memory. */
import { Duplex } from "node:stream"
import type { PGlite } from "@electric-sql/pglite"

const terminate = 0x58
const cancelRequestCode = 80_877_102

/**
 * PGlite wants whole messages, so the client's bytes are cut at message boundaries and run one batch after the other. The first
 * message of a connection has no tag byte. A request to cancel is dropped: the database runs on this thread, so whatever was
 * to be cancelled has ended by the time it could be read.
 */
export class PgliteDuplex extends Duplex {
  readonly #database: PGlite
  #pending: Buffer = Buffer.alloc(0)
  #started = false
  #reset = false

  constructor(database: PGlite) {
    super()
    this.#database = database
  }

  override _read() {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const batch = this.#whole()
    if (batch === "closed") {
      // Ends this connection only; the database goes on.
      this.push(null)
      return done()
    }
    if (batch.length === 0) return done()
    const run = () =>
      this.#database.runExclusive(() =>
        this.#database.execProtocolRawStream(batch, { onRawData: (data) => this.push(Buffer.from(data)) })
      )
    const ready = this.#reset ? Promise.resolve() : resetSession(this.#database)
    this.#reset = true
    ready
      .then(turnOfTheLoop)
      .then(run)
      .then(() => done(), done)
  }

  /** Takes the whole messages off the pending bytes. */
  #whole(): Uint8Array | "closed" {
    let end = 0
    while (true) {
      const tag = this.#started ? 1 : 0
      if (this.#pending.length < end + tag + 4) break
      const length = tag + this.#pending.readInt32BE(end + tag)
      if (this.#pending.length < end + length) break
      if (this.#started && this.#pending[end] === terminate) return "closed"
      if (!this.#started && this.#pending.readInt32BE(end + 4) === cancelRequestCode) return "closed"
      this.#started = true
      end += length
    }
    const batch = new Uint8Array(this.#pending.subarray(0, end))
    this.#pending = this.#pending.subarray(end)
    return batch
  }
}

/** Most time that the database takes in one turn of the event loop, if there is always something to do. */
const turnMillis = 10
let turnBegan: number | undefined

/** The database answers without ever waiting, so whoever asks again at once would keep the loop from all else. */
const turnOfTheLoop = () => {
  const now = performance.now()
  if (turnBegan === undefined) {
    turnBegan = now
    setImmediate(() => {
      turnBegan = undefined
    })
  }
  return now - turnBegan > turnMillis ? new Promise<void>((resolve) => void setImmediate(resolve)) : undefined
}

/** There is one session for all connections, one after the other. Each finds it as a server would give it: with nothing left open. */
const resetSession = (database: PGlite) => database.exec("rollback").then(() => database.exec("discard all"))
