/**
 * What a full database costs: listing, filtering and starting executions with 100,000 of them stored, beside the same with 1,000, in
 * turns on one server. `--quick` shows that it works, with 10,000.
 */
import { DateTime } from "effect"
import { startHost } from "./sagas/fairlead.ts"
import { storeExecutions } from "./sagas/storedExecutions.ts"
import { createDatabase, type Database, serverSettings, serverUrl } from "./support/databases.ts"
import { table, writeReport } from "./support/report.ts"
import { median, round } from "./support/stats.ts"

const quick = process.argv.includes("--quick")
const samples = quick ? 40 : 200
const sizes = [1_000, quick ? 10_000 : 100_000] as const

type Host = Awaited<ReturnType<typeof startHost>>

/** The stored ones are the oldest, and all of one kind. */
const calls: Readonly<Record<string, (host: Host) => Promise<unknown>>> = {
  "start and end": ({ run }) => run(),
  "first page": ({ list }) => list({}),
  "a later page": ({ list }) => list({}, 500),
  "by status": ({ list }) => list({ statuses: ["completed"] }),
  "by a status that few have": ({ list }) => list({ statuses: ["failed"] }),
  "by language": ({ list }) => list({ lang: "none" }),
  "by time": ({ list }) => list({ from: DateTime.makeUnsafe(Date.now() - 1_000) })
}

const server = serverUrl()
const settings = await serverSettings(server)
const opened: Array<{ readonly database: Database; readonly host: Host }> = []
const open = async (size: number) => {
  const database = await createDatabase(server, `growth ${size}`)
  const host = await startHost(database.url)
  opened.push({ database, host })
  await host.run()
  await storeExecutions(database, size)
  await database.query("vacuum analyze")
  return host
}

const measure = async (call: (host: Host) => Promise<unknown>, hosts: ReadonlyArray<Host>) => {
  const millis = hosts.map((): Array<number> => [])
  for (let sample = 0; sample < samples; sample++)
    for (const [i, host] of hosts.entries()) {
      const from = performance.now()
      await call(host)
      millis[i]?.push(performance.now() - from)
    }
  return millis.map((each) => round(median(each)))
}

try {
  const hosts: Array<Host> = []
  for (const size of sizes) hosts.push(await open(size))
  const rows: Array<Record<string, string | number>> = []
  for (const [name, call] of Object.entries(calls)) {
    const [small = 0, large = 0] = await measure(call, hosts)
    rows.push({
      call: name,
      [`${sizes[0]} stored, ms`]: small,
      [`${sizes[1]} stored, ms`]: large,
      ratio: round(large / small)
    })
  }
  table(rows)
  console.log(`written to ${writeReport("growth", { settings, samples, quick, rows })}`)
} finally {
  for (const { database, host } of opened) {
    await host.stop()
    await database.drop()
  }
}
