/**
 * Kills a host at every failpoint while scripts of every kind are on their way, starts it again, and expects every script to end as
 * if nothing had happened. The start that recovers from one point is armed for the next, and harmless until it is told.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { failpointNames } from "../../../examples/reference-host/test/proof/failpointNames.ts"
import { judge, judgeAll } from "./judgement.ts"
import type { Kind } from "./scripts.ts"
import type { Ended } from "./Workload.ts"
import { inWorkshop, type Workshop, type WorkshopOptions } from "./workshop.ts"

export interface CrashOptions {
  readonly database: WorkshopOptions["database"]
  /** How often each point is gone through. */
  readonly rounds: number
  /** Only points whose name contains it. */
  readonly only: string
  /** Hosts at work side by side, each with a database of its own and a part of the points. */
  readonly parallel: number
  readonly log: (line: string) => void
}

export interface CrashReport {
  readonly database: string
  /** That were reached. */
  readonly points: number
  readonly crashes: number
  readonly executions: number
  readonly violations: ReadonlyArray<string>
}

const batch: ReadonlyArray<Kind> = [
  "succeeds",
  "fails",
  "retries",
  "refused",
  "cancelledAtOnce",
  "cancelled",
  "timesOut",
  "holdsKey",
  "expires"
]
/** From the arming to the death, and from the restart to the last end. */
const [reachMillis, endMillis] = [60_000, 60_000]

export const crash = async (options: CrashOptions): Promise<CrashReport> => {
  const points = failpointNames.filter((name) => name.includes(options.only))
  const left = Array.from({ length: options.rounds }, () => points).flat()
  const reached = new Set<string>()
  const itinerary: Itinerary = {
    // One crash stands for all points that are the same moment, unless there is time for more.
    next: () => {
      let name = left.shift()
      while (options.rounds === 1 && name !== undefined && reached.has(name)) name = left.shift()
      return name
    },
    note: (names) => {
      for (const name of names) reached.add(name)
    }
  }
  const parts = await Promise.all(Array.from({ length: options.parallel }, () => visit(itinerary, options)))
  return {
    database: options.database,
    points: points.filter((name) => reached.has(name)).length,
    crashes: parts.reduce((sum, { crashes }) => sum + crashes, 0),
    executions: parts.reduce((sum, { executions }) => sum + executions, 0),
    violations: parts.flatMap(({ violations }) => violations)
  }
}

/** Shared by those that go side by side. */
interface Itinerary {
  /** The point to go to; `undefined` when all have been reached. */
  next(): string | undefined
  /** These were reached by one crash. */
  note(names: ReadonlyArray<string>): void
}

const visit = (itinerary: Itinerary, options: CrashOptions) =>
  inWorkshop({ hosts: 1, database: options.database }, async (workshop) => {
    const armFile = join(workshop.folder, "arm")
    const armed = (name: string | undefined) =>
      workshop.fleet.start(
        "host-1",
        name === undefined ? {} : { FAIRLEAD_FAILPOINT: name, FAIRLEAD_FAILPOINT_ARM: armFile }
      )
    const [ended, violations]: [Array<Ended>, Array<string>] = [[], []]
    let crashes = 0

    let name = itinerary.next()
    await armed(name)
    while (name !== undefined) {
      const [started, before] = [performance.now(), violations.length]
      writeFileSync(armFile, "")
      const batchEnd = submitBatch(workshop)
      const how = await workshop.fleet.gone("host-1", reachMillis).catch(String)
      if (how === "SIGKILL") crashes++
      else violations.push(`${name}: the host was not killed there, but: ${how}`)
      itinerary.note(readFileSync(armFile, "utf8").split("\n"))
      rmSync(armFile)
      if (workshop.fleet.isUp("host-1")) await workshop.fleet.end("host-1", "SIGKILL")
      const died = performance.now()
      const following = itinerary.next()
      await armed(following)
      const submitted = await batchEnd
      const verdict = await judge(workshop.fleet, workshop.workload, submitted, { endMillis, mayLose: false })
      ended.push(...verdict.ended)
      violations.push(...verdict.violations.map((violation) => `${name}: ${violation}`))
      const [dead, done] = [died - started, performance.now() - started]
      options.log(`${options.database} ${name}: dead at ${seconds(dead)}, all ended at ${seconds(done)}`)
      for (const violation of violations.slice(before)) options.log(`VIOLATION ${violation}`)
      name = following
    }
    violations.push(...(await judgeAll(workshop, ended)))
    if (violations.length > 0) options.log(workshop.fleet.output())
    return { crashes, executions: ended.length, violations }
  })

/** The one that waits for a key comes after the one that holds it. */
const submitBatch = async ({ workload }: Workshop) => {
  const submitted = workload.submitted.length
  await Promise.all([
    ...batch.filter((kind) => kind !== "expires" && kind !== "holdsKey").map((kind) => workload.submit(kind)),
    workload.submit("holdsKey").then(() => workload.submit("expires"))
  ])
  return workload.submitted.slice(submitted)
}

const seconds = (millis: number) => `${(millis / 1000).toFixed(1)} s`
