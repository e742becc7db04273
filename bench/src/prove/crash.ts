/**
 * Kills a host at every failpoint while scripts of every kind are on their way, starts it again, and expects every script to end as
 * if nothing had happened. The start that recovers from one point is armed for the next, and harmless until it is told.
 */
import { rmSync, writeFileSync } from "node:fs"
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
  readonly lanes: number
  readonly log: (line: string) => void
}

export interface CrashReport {
  readonly database: string
  readonly points: number
  readonly crashes: number
  readonly executions: number
  readonly breaches: ReadonlyArray<string>
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
  const visits = Array.from({ length: options.rounds }, () => points).flat()
  const parts = await Promise.all(
    Array.from({ length: options.lanes }, (_, lane) => visits.filter((_, i) => i % options.lanes === lane))
      .filter((part) => part.length > 0)
      .map((part) => visit(part, options))
  )
  return {
    database: options.database,
    points: points.length,
    crashes: parts.reduce((sum, { crashes }) => sum + crashes, 0),
    executions: parts.reduce((sum, { executions }) => sum + executions, 0),
    breaches: parts.flatMap(({ breaches }) => breaches)
  }
}

const visit = (visits: ReadonlyArray<string>, options: CrashOptions) =>
  inWorkshop({ hosts: 1, database: options.database }, async (workshop) => {
    const armFile = join(workshop.folder, "arm")
    const armed = (name: string | undefined) =>
      workshop.fleet.start(
        "host-1",
        name === undefined ? {} : { FAIRLEAD_FAILPOINT: name, FAIRLEAD_FAILPOINT_ARM: armFile }
      )
    const [ended, breaches]: [Array<Ended>, Array<string>] = [[], []]
    let crashes = 0

    await armed(visits[0])
    for (const [i, name] of visits.entries()) {
      const [started, before] = [performance.now(), breaches.length]
      writeFileSync(armFile, "")
      const batchEnd = submitBatch(workshop)
      const how = await workshop.fleet.gone("host-1", reachMillis).catch(String)
      if (how === "SIGKILL") crashes++
      else breaches.push(`${name}: the host was not killed there, but: ${how}`)
      rmSync(armFile)
      if (workshop.fleet.isUp("host-1")) await workshop.fleet.end("host-1", "SIGKILL")
      const died = performance.now()
      await armed(visits[i + 1])
      const submitted = await batchEnd
      const verdict = await judge(workshop.fleet, workshop.workload, submitted, { endMillis, mayLose: false })
      ended.push(...verdict.ended)
      breaches.push(...verdict.breaches.map((breach) => `${name}: ${breach}`))
      const [dead, done] = [died - started, performance.now() - started]
      options.log(`${options.database} ${name}: dead at ${seconds(dead)}, all ended at ${seconds(done)}`)
      for (const breach of breaches.slice(before)) options.log(`BREACH ${breach}`)
    }
    breaches.push(...(await judgeAll(workshop, ended)))
    if (breaches.length > 0) options.log(workshop.fleet.output())
    return { crashes, executions: ended.length, breaches }
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
