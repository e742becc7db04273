/**
 * Rolling restarts that nobody notices: one host after the other gets SIGTERM and is started again, while clients behind a load
 * balancer submit scripts, wait for their results and read lists. No request may fail, and no script may fail or run twice.
 */
import { type Summary, summarize } from "../support/stats.ts"
import { type Balancer, makeBalancer } from "./Balancer.ts"
import { judge, judgeAll } from "./judgement.ts"
import { type Random, seeded } from "./random.ts"
import { makeWorkload, type Workload } from "./Workload.ts"
import { sleep, until } from "./waiting.ts"
import { inWorkshop } from "./workshop.ts"

export interface HandoverOptions {
  /** How often each host is restarted. */
  readonly rounds: number
  readonly seed: number
  readonly log: (line: string) => void
}

export interface HandoverReport {
  readonly seed: number
  readonly hosts: number
  readonly places: number
  readonly restarts: number
  readonly executions: number
  /** By kind of request. */
  readonly requests: Readonly<Record<string, Summary>>
  /** From SIGTERM to the end of the process, and from there until the balancer sees it ready again. */
  readonly endMillis: Summary
  readonly startMillis: Summary
  readonly violations: ReadonlyArray<string>
}

/** Two of the hosts serve one place, so that scripts change their driver, and those of the third wait for it. */
const [hosts, places] = [3, 2]
const [submitters, readers] = [6, 3]
/** What a host gives by default. */
const graceSeconds = 3

export const handover = ({ log, rounds, seed }: HandoverOptions): Promise<HandoverReport> =>
  inWorkshop(
    { hosts, places, database: "postgresql", environment: { FAIRLEAD_DRAIN_GRACE_SECONDS: `${graceSeconds}` } },
    async (workshop) => {
      const { fleet, ledgerFile, run } = workshop
      await Promise.all(fleet.names.map((name) => fleet.start(name)))
      const balancer = makeBalancer(fleet)
      const workload = makeWorkload(balancer, run, ledgerFile)
      const isReady = (name: string) =>
        until(`${name} is ready`, () => (balancer.isReady(name) ? true : undefined), 60_000)
      for (const name of fleet.names) await isReady(name)
      const load = startLoad(balancer, workload, seeded(seed))

      const [ends, starts]: [Array<number>, Array<number>] = [[], []]
      for (let round = 1; round <= rounds; round++)
        for (const name of fleet.names) {
          const told = performance.now()
          await fleet.end(name, "SIGTERM")
          const ended = performance.now()
          await fleet.start(name)
          await isReady(name)
          ends.push(ended - told)
          starts.push(performance.now() - ended)
          log(
            `handover ${round}: ${name} ended after ${Math.round(ended - told)} ms, ${workload.submitted.length} scripts, ${balancer.violations.length} failed requests so far`
          )
        }
      await load.stop()
      await balancer.stop()

      const verdict = await judge(fleet, workload, workload.submitted, { endMillis: 60_000, mayLose: false })
      const violations = [...balancer.violations, ...fleet.deaths, ...verdict.violations]
      violations.push(...(await judgeAll(workshop, verdict.ended)))
      if (violations.length > 0) log(fleet.output())
      return {
        seed,
        hosts,
        places,
        restarts: ends.length,
        executions: verdict.ended.length,
        requests: balancer.latencies(),
        endMillis: summarize(ends),
        startMillis: summarize(starts),
        violations
      }
    }
  )

/** Failed requests are in the balancer's book: a client goes on with the next one. */
const startLoad = (balancer: Balancer, workload: Workload, random: Random) => {
  let isOver = false
  const again = async (work: () => Promise<unknown>) => {
    while (!isOver) await work().catch(() => sleep(100))
  }
  const submit = async () => {
    const kind = random.pick(["succeeds", "lasts", "lasts"] as const)
    await workload.end(await workload.submit(kind, { PROOF_SECONDS: `${random.between(1, 6)}` }), 60_000)
  }
  const read = async () => {
    await balancer.ask("GET", "/executions?limit=20")
    const { executionId } = workload.submitted.at(-random.between(1, 20)) ?? {}
    if (executionId !== undefined) await balancer.ask("GET", `/executions/${executionId}/result`)
    await sleep(20)
  }
  const clients = [
    ...Array.from({ length: submitters }, () => again(submit)),
    ...Array.from({ length: readers }, () => again(read))
  ]
  return {
    stop: async () => {
      isOver = true
      await Promise.all(clients)
    }
  }
}
