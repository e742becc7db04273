/** pg-boss: an item is a job with a handler that does nothing; it has ended when its handler has been called. */
import { PgBoss } from "pg-boss"
import { makeEnds, maxAtOnce, maxConnections, type Start } from "./Contender.ts"

const workers = 8

export const start: Start = async (databaseUrl) => {
  const ends = makeEnds()
  const boss = new PgBoss({ connectionString: databaseUrl, max: maxConnections, useListenNotify: true })
  boss.on("error", (error) => console.error(error))
  await boss.start()
  await boss.createQueue("execution", { notify: true })
  const options = { batchSize: maxAtOnce / workers, localConcurrency: workers, burstWhenBatchFull: true }
  await boss.work<{ readonly item: string }>("execution", { ...options, pollingIntervalSeconds: 0.5 }, async (jobs) => {
    for (const { data } of jobs) ends.reached(data.item)
  })
  let items = 0
  return {
    run: async () => {
      const item = String(items++)
      const ended = ends.of(item)
      await boss.send("execution", { item, script: "nothing" })
      await ended
    },
    stop: () => boss.stop({ graceful: false })
  }
}
