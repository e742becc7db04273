/** graphile-worker: an item is a job with a task that does nothing; it has ended when the row says so. */
import { Logger, makeWorkerUtils, run } from "graphile-worker"
import pg from "pg"
import { makeEnds, maxAtOnce, maxConnections, type Start } from "./Contender.ts"

export const start: Start = async (databaseUrl) => {
  const ends = makeEnds()
  const pgPool = new pg.Pool({ connectionString: databaseUrl, max: maxConnections })
  pgPool.on("error", (error) => console.error(error))
  pgPool.on("connect", (client) => client.on("error", (error) => console.error(error)))
  const logger = new Logger(() => () => undefined)
  const utils = await makeWorkerUtils({ pgPool, logger })
  await utils.migrate()
  const runner = await run({
    pgPool,
    logger,
    noHandleSignals: true,
    concurrency: maxAtOnce,
    taskList: { execution: async () => undefined }
  })
  runner.events.on("job:complete", ({ job }) => ends.reached(job.id))
  return {
    run: async () => {
      const { id } = await utils.addJob("execution", { script: "nothing" })
      await ends.of(id)
    },
    stop: async () => {
      await runner.stop()
      await utils.release()
      await pgPool.end()
    }
  }
}
