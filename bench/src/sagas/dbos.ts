/** DBOS: an item is a durable workflow of five recorded steps that do nothing. */
import { DBOS } from "@dbos-inc/dbos-sdk"
import { maxConnections, type Start } from "./Contender.ts"

const steps = ["validate", "allocate", "queue", "start", "store"]

export const start: Start = async (databaseUrl) => {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: databaseUrl,
    systemDatabasePoolSize: maxConnections,
    logLevel: "error"
  })
  const workflow = DBOS.registerWorkflow(
    async (script: string) => {
      for (const name of steps) await DBOS.runStep(async () => ({ name, script }), { name })
      return "completed"
    },
    { name: "execution" }
  )
  await DBOS.launch()
  return { run: () => workflow("nothing"), stop: () => DBOS.shutdown() }
}
