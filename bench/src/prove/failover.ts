/**
 * Hosts of one place: one of them is killed with 30 scripts running, and the others take its sagas over. Measured from the kill to the
 * moment at which every saga of the dead host bears the fence of another, by the clock of this process.
 */
import { summarize } from "../support/stats.ts"
import { judge, judgeAll } from "./judgement.ts"
import type { PostgresServer } from "./PostgresServer.ts"
import { seeded } from "./random.ts"
import type { Ended } from "./Workload.ts"
import { until } from "./waiting.ts"
import { inWorkshop, type Workshop } from "./workshop.ts"

export interface FailoverOptions {
  readonly rounds: number
  readonly hosts: number
  readonly seed: number
  readonly log: (line: string) => void
}

export interface FailoverReport {
  readonly seed: number
  readonly hosts: number
  readonly rounds: number
  /** Sagas that changed their driver. */
  readonly takenOver: number
  readonly takeoverMillis: { readonly p50: number; readonly p95: number; readonly max: number }
  readonly violations: ReadonlyArray<string>
}

const running = 30
const scriptSeconds = 15
const takeoverBoundMillis = 45_000

export const failover = ({ hosts, log, rounds, seed }: FailoverOptions): Promise<FailoverReport> =>
  inWorkshop(
    {
      hosts,
      database: "postgresql",
      places: 1,
      environment: { FAIRLEAD_MAX_RUNNING: `${running}` }
    },
    async (workshop) => {
      const { fleet, postgres } = workshop
      if (postgres === undefined) throw new Error("failover is between hosts of one PostgreSQL")
      const random = seeded(seed)
      const [ended, violations, samples]: [Array<Ended>, Array<string>, Array<number>] = [[], [], []]
      let takenOver = 0
      for (const name of fleet.names) await fleet.start(name)
      for (let round = 1; round <= rounds; round++) {
        const submitted = await startScripts(workshop, postgres)
        const victim = random.pick(await executorsIn(postgres))
        const sagas = await sagasOf(postgres, victim)
        const killed = performance.now()
        await fleet.end(victim, "SIGKILL")
        const millis = await taken(postgres, sagas).then(
          () => performance.now() - killed,
          (error: unknown) => void violations.push(`round ${round}: ${String(error)}`)
        )
        if (millis !== undefined) samples.push(millis)
        takenOver += sagas.length
        await fleet.start(victim)
        const verdict = await judge(fleet, workshop.workload, submitted, { endMillis: 60_000, mayLose: false })
        ended.push(...verdict.ended)
        violations.push(...verdict.violations)
        log(
          `failover ${round}: ${victim} killed with ${sagas.length} sagas, taken over after ${Math.round(millis ?? NaN)} ms`
        )
      }
      violations.push(...fleet.deaths, ...(await judgeAll(workshop, ended)))
      if (violations.length > 0) log(fleet.output())
      const { max, p50, p95 } = summarize(samples)
      return { seed, hosts, rounds, takenOver, takeoverMillis: { p50, p95, max }, violations }
    }
  )

/** Waits until all of them run. */
const startScripts = async ({ workload }: Workshop, postgres: PostgresServer) => {
  const env = { PROOF_SECONDS: `${scriptSeconds}` }
  const submitted = await Promise.all(Array.from({ length: running }, () => workload.submit("lasts", env)))
  const up = async () => {
    const [count] = await postgres.query(database, "select count(*) from executions where status = 'running'")
    return count === `${running}` ? true : undefined
  }
  await until("all scripts run", up, 60_000, 100)
  return submitted
}

const database = "fairlead"

const executorsIn = (postgres: PostgresServer) =>
  postgres.query(database, "select distinct saga ->> 'executor' from sagas where state = 'running' order by 1")

/** Each with its fence. */
const sagasOf = (postgres: PostgresServer, driver: string) =>
  postgres.query(
    database,
    `select saga_id, fence from sagas where state = 'running' and saga ->> 'executor' = '${driver}' order by 1`
  )

/** One session looks again and again until none of the sagas bears its old fence. */
const taken = (postgres: PostgresServer, sagas: ReadonlyArray<string>) => {
  const values = sagas.map((row) => `('${row.replace("|", "'::uuid, ")})`).join(", ")
  return postgres.query(
    database,
    `do $$ declare began timestamptz := clock_timestamp(); begin
      while exists (select from sagas join (values ${values}) as old (id, fence) on saga_id = id where sagas.fence <= old.fence) loop
        if clock_timestamp() - began > interval '${takeoverBoundMillis} ms' then raise 'not every saga was taken over'; end if;
        perform pg_sleep(0.02);
      end loop;
    end $$`
  )
}
