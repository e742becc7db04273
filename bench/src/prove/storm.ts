/**
 * Faults at random times, as a seed decides, on hosts under load; then everything is healed, and every script that was accepted must
 * come to an end that can be explained.
 */

import { judge, judgeAll } from "./judgement.ts"
import { type Random, seeded } from "./random.ts"
import { type Kind, shortKinds } from "./scripts.ts"
import { sleep } from "./waiting.ts"
import { inWorkshop, type Workshop, type WorkshopOptions } from "./workshop.ts"

export type Fault = "kill" | "freeze" | "roll" | "postgres"

export interface StormPlan extends Pick<WorkshopOptions, "database" | "hosts" | "places"> {
  readonly seed: number
  /** A fault that is listed twice comes twice as often. */
  readonly faults: ReadonlyArray<Fault>
  /** No fault begins after this time, nor after so many. */
  readonly durationMillis: number
  readonly maxFaults?: number
  /** Faults that may meet; 2 by default. */
  readonly atOnce?: number
  /** Between the beginnings of two faults. */
  readonly pauseMillis: readonly [minimum: number, maximum: number]
  readonly freezeMillis: readonly [minimum: number, maximum: number]
  /** Scripts that are accepted and have not ended, at one time. */
  readonly open: number
  readonly log: (line: string) => void
}

export interface StormReport {
  readonly seed: number
  readonly faults: Readonly<Record<Fault, number>>
  readonly executions: number
  readonly ends: Readonly<Record<string, number>>
  /** Ended as lost, because their host was away for too long. */
  readonly lost: number
  readonly longestAbsenceMillis: number
  readonly healMillis: number
  readonly violations: ReadonlyArray<string>
}

/** What the settings of the hosts say, less what a beat and a look may take. */
const nodeTimeoutMillis = 45_000
const endMillis = 60_000

export const storm = (plan: StormPlan): Promise<StormReport> =>
  inWorkshop(plan, async (workshop) => {
    const { fleet, workload } = workshop
    const faults = { kill: 0, freeze: 0, roll: 0, postgres: 0 }
    const inflictor = makeInflictor(workshop, plan)
    await Promise.all(fleet.names.map((name) => fleet.start(name)))
    const load = startLoad(workshop, plan)

    const random = seeded(plan.seed)
    const started = performance.now()
    const going = new Set<Promise<void>>()
    for (let count = 0; count < (plan.maxFaults ?? Infinity); count++) {
      await sleep(random.between(...plan.pauseMillis))
      if (performance.now() - started >= plan.durationMillis) break
      const fault = random.pick(plan.faults)
      faults[fault]++
      const done = inflictor.inflict(fault, random).finally(() => going.delete(done))
      going.add(done)
      if (going.size >= (plan.atOnce ?? 2)) await Promise.race(going)
    }
    await Promise.all(going)
    const healed = performance.now()
    const { violations: refused } = await load.stop()

    const longestAbsenceMillis = inflictor.longestAbsenceMillis()
    const mayLose = longestAbsenceMillis >= nodeTimeoutMillis - 15_000
    const bound = endMillis + (mayLose ? nodeTimeoutMillis : 0)
    const verdict = await judge(fleet, workload, workload.submitted, { endMillis: bound, mayLose })
    const healMillis = Math.round(performance.now() - healed)
    const violations = [
      ...fleet.deaths,
      ...refused,
      ...verdict.violations,
      ...(await judgeAll(workshop, verdict.ended))
    ]
    if (violations.length > 0) plan.log(fleet.output())
    const ends: Record<string, number> = {}
    for (const { ending } of verdict.ended) ends[ending.status] = (ends[ending.status] ?? 0) + 1
    return {
      seed: plan.seed,
      faults,
      executions: verdict.ended.length,
      ends,
      lost: verdict.ended.filter(({ errorCause }) => errorCause === "lost").length,
      longestAbsenceMillis: Math.round(longestAbsenceMillis),
      healMillis,
      violations
    }
  })

/** Submits scripts of all kinds, as many at a time as the plan says. */
const startLoad = ({ workload }: Workshop, { open, seed }: StormPlan) => {
  const random = seeded(seed + 1)
  const kinds: ReadonlyArray<Kind> = [...shortKinds, "succeeds", "lasts", "lasts"]
  const violations: Array<string> = []
  let isOver = false
  const client = async () => {
    while (!isOver) {
      const kind = random.pick(kinds)
      const env = { PROOF_SECONDS: `${random.between(1, 6)}` }
      try {
        await workload.end(await workload.submit(kind, env), 10_000)
      } catch (error) {
        violations.push(`a client was not served: ${String(error)}`)
      }
    }
  }
  const clients = Array.from({ length: open }, client)
  return {
    stop: async () => {
      isOver = true
      await Promise.all(clients)
      return { violations }
    }
  }
}

const makeInflictor = ({ fleet, postgres }: Workshop, { freezeMillis, log }: StormPlan) => {
  const busy = new Set<string>()
  let longestAbsenceMillis = 0
  const began = performance.now()
  const tell = (what: string) => log(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${what}`)

  /** A host that no other fault has in hand; `undefined` if there is none. */
  const withHost = async (random: Random, names: ReadonlyArray<string>, act: (name: string) => Promise<void>) => {
    const idle = names.filter((name) => !busy.has(name))
    if (idle.length === 0) return
    const name = random.pick(idle)
    const from = performance.now()
    busy.add(name)
    await act(name)
    busy.delete(name)
    longestAbsenceMillis = Math.max(longestAbsenceMillis, performance.now() - from)
  }
  /** The database may be away. */
  const startAgain = async (name: string) => {
    for (let attempt = 1; ; attempt++) {
      try {
        await fleet.start(name)
        return
      } catch (error) {
        if (attempt === 10) throw error
        await sleep(500)
      }
    }
  }

  const inflict = async (fault: Fault, random: Random): Promise<void> => {
    switch (fault) {
      case "kill": {
        const downMillis = random.between(0, 3_000)
        return withHost(random, fleet.names, async (name) => {
          tell(`kill -9 ${name}, down for ${downMillis} ms`)
          await fleet.end(name, "SIGKILL")
          await sleep(downMillis)
          await startAgain(name)
        })
      }
      case "freeze": {
        const millis = random.between(...freezeMillis)
        return withHost(random, fleet.names, async (name) => {
          tell(`SIGSTOP ${name} for ${millis} ms`)
          fleet.freeze(name)
          await sleep(millis)
          fleet.thaw(name)
        })
      }
      case "roll": {
        tell("rolling restart with SIGTERM")
        for (const name of fleet.names)
          await withHost(random, [name], async () => {
            await fleet.end(name, "SIGTERM")
            await startAgain(name)
          })
        return
      }
      case "postgres": {
        const [mode, downMillis] = [random.pick(["fast", "immediate"] as const), random.between(0, 2_000)]
        if (busy.has("postgres")) return
        busy.add("postgres")
        tell(`restart of PostgreSQL, ${mode}, down for ${downMillis} ms`)
        await postgres?.restart(mode, downMillis)
        busy.delete("postgres")
      }
    }
  }
  return { inflict, longestAbsenceMillis: () => longestAbsenceMillis }
}
