/** A start on a database that is not fit says why once, in a line that somebody can act on. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { assertSaid } from "./support/failedStart.ts"
import { startHost } from "./support/HostProcess.ts"
import { onServer, server } from "./support/testDatabase.ts"

const name = (what: string) => `fairlead_unfit_${what}_${process.pid}`
const failure = (database: string) => {
  const url = new URL(server ?? "")
  url.pathname = `/${database}`
  return startHost({ environment: { DATABASE_URL: url.href } }).then(
    (host) => host.stop().then(() => "started"),
    (error: Error) => error.message
  )
}

describe.skipIf(server === undefined)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  beforeAll(async () => {
    await onServer(`create database ${name("latin")} encoding 'LATIN1' template template0 locale 'C'`)
    await onServer(`create database ${name("read")} template template0`)
    await onServer(`alter database ${name("read")} set default_transaction_read_only = on`)
  }, 60_000)
  afterAll(async () => {
    for (const what of ["latin", "read"]) await onServer(`drop database ${name(what)} with (force)`)
  }, 60_000)

  it.each([
    ["an encoding that loses letters", "latin", ["LATIN1", "ENCODING 'UTF8'"]],
    ["a database that is read-only by default", "read", ["read-only", "default_transaction_read_only"]],
    ["a database that is not there", "none", ["there is no database of that name", "Create it"]]
  ] as const)("names %s and what to do, once", { timeout: 60_000 }, async (_, what, words) => {
    const output = await failure(name(what))
    assertSaid(output, ["fairlead: the database cannot be used", ...words])
    assert.notInclude(output, "StorageError")
  })
})
