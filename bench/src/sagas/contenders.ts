/** Every system of the comparison with a fresh database and a process of its own. */
import { type ChildProcess, fork } from "node:child_process"
import { createDatabase, type Database } from "../support/databases.ts"
import { storeExecutions } from "./storedExecutions.ts"
import type { Done, Task } from "./worker.ts"

export interface Running {
  readonly name: string
  readonly database: Database
  ask(task: Exclude<Task, { readonly _tag: "Stop" }>): Promise<Done>
  stop(): Promise<void>
}

const ours = "fairlead"
export const peers: ReadonlyArray<string> = ["DBOS", "graphile-worker", "pg-boss"]
const systems = [ours, "fairlead, result awaited", ...peers]

/** The next message of a child; fails if it ends before. */
const answer = <A>(child: ChildProcess, name: string) =>
  new Promise<A>((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${name} ended with ${code}`))
    child.once("exit", ended)
    child.once("message", (message) => {
      child.off("exit", ended)
      resolve(message as A)
    })
  })

const start = async (server: string, name: string, system: string): Promise<Running> => {
  const database = await createDatabase(server, name)
  const flags = process.env["FAIRLEAD_BENCH_NODE_FLAGS"]?.split(" ") ?? []
  const child = fork(new URL("./worker.ts", import.meta.url), [system, database.url], {
    execArgv: [
      "--disable-warning=ExperimentalWarning",
      "--disable-warning=DeprecationWarning",
      ...(name === ours ? flags : [])
    ]
  })
  await answer(child, name).catch(async (error) => {
    await database.drop()
    throw error
  })
  return {
    name,
    database,
    ask: (task) => {
      const done = answer<Done>(child, name)
      child.send(task)
      return done
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve))
      if (child.exitCode === null && child.send({ _tag: "Stop" } satisfies Task)) await ended
      await database.drop()
    }
  }
}

/** Adds all systems to `running`, and ours once more for each number of executions that are already stored. */
export const startAll = async (running: Array<Running>, server: string, stored: ReadonlyArray<number>) => {
  const only = process.env["FAIRLEAD_BENCH_ONLY"]?.split(";")
  for (const name of systems)
    if (only === undefined || only.includes(name)) running.push(await start(server, name, name))
  for (const count of stored) {
    const grown = await start(server, `fairlead, ${count} stored`, ours)
    running.push(grown)
    await grown.ask({ _tag: "Load", inFlight: 1, count: 1, millis: 10_000 })
    await storeExecutions(grown.database, count)
  }
}
