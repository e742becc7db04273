/** What `pnpm prove` proves, part by part: the long form of each, and the short one for a change that is about to land. */
import { abuse } from "./abuse.ts"
import { crash } from "./crash.ts"
import { failover } from "./failover.ts"
import { fairness } from "./fairness.ts"
import { handover } from "./handover.ts"
import { type StormPlan, type StormReport, storm } from "./storm.ts"

export interface Wanted {
  readonly isShort: boolean
  readonly seed: number
  /** Only failpoints whose name contains it. */
  readonly only: string
  /** Instead of the part's own number of rounds, kills, scripts or minutes. */
  readonly times: number | undefined
  readonly log: (line: string) => void
}

interface Proof {
  readonly figures: Readonly<Record<string, string | number>>
  readonly violations: ReadonlyArray<string>
}

export interface Part {
  readonly about: string
  prove(wanted: Wanted): Promise<Proof>
}

const crashes = async ({ isShort, log, only, times }: Wanted): Promise<Proof> => {
  const rounds = times ?? (isShort ? 1 : 20)
  // PGlite works inside the host, PostgreSQL mostly makes us wait for locks to expire: hence more of those side by side.
  const reports = await Promise.all([
    crash({ database: "pglite", rounds, only, parallel: 2, log }),
    crash({ database: "postgresql", rounds, only, parallel: 4, log })
  ])
  const figures = reports.flatMap(({ crashes, database, executions, points }) => [
    [`failpoints (${database})`, points] as const,
    [`crashes (${database})`, crashes] as const,
    [`executions (${database})`, executions] as const
  ])
  return { figures: Object.fromEntries(figures), violations: reports.flatMap(({ violations }) => violations) }
}

const ofStorm = ({
  violations,
  ends,
  executions,
  faults,
  healMillis,
  longestAbsenceMillis,
  lost,
  seed
}: StormReport) => ({
  figures: {
    seed,
    faults: listed(faults),
    executions,
    ends: listed(ends),
    "lost, and said so": lost,
    "longest absence of a host, ms": longestAbsenceMillis,
    "last fault to last end, ms": healMillis
  },
  violations
})

const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ")

const stormOf =
  (plan: (wanted: Wanted) => Omit<StormPlan, "seed" | "log">) =>
  async (wanted: Wanted): Promise<Proof> =>
    ofStorm(await storm({ ...plan(wanted), seed: wanted.seed, log: wanted.log }))

const failovers =
  (hosts: number) =>
  async ({ isShort, log, seed, times }: Wanted): Promise<Proof> => {
    const rounds = times ?? (isShort ? 2 : 20)
    const { violations, takenOver, takeoverMillis } = await failover({ rounds, hosts, seed, log })
    const { max, p50, p95 } = takeoverMillis
    return {
      figures: {
        seed,
        hosts,
        rounds,
        "sagas taken over": takenOver,
        "takeover p50 / p95 / max, ms": `${p50} / ${p95} / ${max}`
      },
      violations
    }
  }

const fairnesses = async ({ isShort, log, times }: Wanted): Promise<Proof> => {
  const { acceptedPerSecond, violations, crowd, overtaken, part, singles, slots, stillWaiting, waitMillis } =
    await fairness({ crowd: times ?? (isShort ? 500 : 10_000), log })
  const { all, first, last } = acceptedPerSecond
  return {
    figures: {
      slots,
      "scripts of the crowd": crowd,
      "accepted per second, by 8 clients": all,
      [`accepted per second, first ${part} / last ${part}`]: `${first} / ${last}`,
      "single scripts": singles,
      "scripts of the crowd that waited at the end": stillWaiting,
      "begun by the crowd while a single one waited, each": overtaken.join(", "),
      "wait of a single one p50 / max, ms": `${waitMillis.p50} / ${waitMillis.max}`
    },
    violations
  }
}

const abuses = async ({ isShort, log, only, times }: Wanted): Promise<Proof> => {
  const { attacks, baseMib, violations } = await abuse({ seconds: times ?? (isShort ? 5 : 60), only, log })
  const each = attacks.map(
    ({ answers, backMillis, calls, grownMib, leftMib, name, p99Millis, repeated }) =>
      [
        name,
        `${grownMib} MiB; p99 ${p99Millis} ms of ${calls} calls, ${repeated} of them repeated; back after ${backMillis} ms to ${leftMib} MiB; ${listed(answers)}`
      ] as const
  )
  return { figures: { "warm host, MiB": baseMib, ...Object.fromEntries(each) }, violations }
}

const handovers = async ({ isShort, log, seed, times }: Wanted): Promise<Proof> => {
  const { violations, endMillis, executions, hosts, places, requests, restarts, startMillis } = await handover({
    rounds: times ?? (isShort ? 2 : 20),
    seed,
    log
  })
  const answered = Object.entries(requests).map(([what, { count, max, p50, p99 }]) => [
    `${what}: answered, p50 / p99 / max in ms`,
    `${count}, ${p50} / ${p99} / ${max}`
  ])
  return {
    figures: {
      seed,
      hosts,
      places,
      restarts,
      executions,
      ...Object.fromEntries(answered),
      "SIGTERM to the end of the process p50 / max, ms": `${endMillis.p50} / ${endMillis.max}`,
      "from there until it is ready again p50 / max, ms": `${startMillis.p50} / ${startMillis.max}`
    },
    violations
  }
}

const minute = 60_000

const kills = (database: StormPlan["database"]) =>
  stormOf(({ isShort, times }) => ({
    database,
    hosts: 1,
    faults: ["kill"],
    maxFaults: times ?? (isShort ? 5 : 150),
    durationMillis: 120 * minute,
    pauseMillis: [0, 3_000],
    freezeMillis: [0, 0],
    open: 6
  }))

export const parts = {
  abuse: {
    about:
      "One ordinary account asks a host on the embedded database for too much, in one way after the other; another user goes on working meanwhile. Given are the growth of the host over its warm size (100 MiB allowed), the other user's p99 (500 ms allowed), how long it took until nothing was left (10 s allowed), and how the attacker was answered.",
    prove: abuses
  },
  crash: {
    about:
      "A host is killed with SIGKILL at every failpoint (each step, before and after what makes it last) while scripts of every kind are on their way, and started again. Every script must end as if nothing had happened, and none may run twice.",
    prove: crashes
  },
  "kills-pglite": {
    about: "A host on PGlite is killed with SIGKILL at random times under load, and started again.",
    prove: kills("pglite")
  },
  "kills-postgresql": {
    about: "A host on PostgreSQL is killed with SIGKILL at random times under load, and started again.",
    prove: kills("postgresql")
  },
  failover: {
    about:
      "Two hosts serve one jobs folder over one PostgreSQL, with 30 scripts running. One host is killed with SIGKILL. Takeover: from the kill until every saga that it drove bears the fence of the other.",
    prove: failovers(2)
  },
  "failover-three": {
    about:
      "As failover, with three hosts that serve one jobs folder: the two that are left share what the third one drove.",
    prove: failovers(3)
  },
  handover: {
    about:
      "Three hosts on one PostgreSQL, two of them with one jobs folder, behind a load balancer that asks each whether it is ready. One after the other gets SIGTERM and is started again, while clients submit scripts, wait for results and read lists. No request may fail, and no script may fail or run twice.",
    prove: handovers
  },
  fairness: {
    about:
      "A host with two slots on PostgreSQL. One user queues 10,000 small scripts; while they wait, another user submits single ones, one after the other. Each must begin when the next slot is free: at most one script per slot of the first user begins between its request and its beginning, counted in the event log.",
    prove: fairnesses
  },
  zombie: {
    about:
      "Two hosts serve one jobs folder over one PostgreSQL. One is frozen with SIGSTOP, long enough that the other takes over, and woken up with the work still in its hands.",
    prove: stormOf(({ isShort, times }) => ({
      database: "postgresql",
      hosts: 2,
      places: 1,
      faults: ["freeze"],
      // Somebody has to be there to take over.
      atOnce: 1,
      maxFaults: times ?? (isShort ? 2 : 6),
      durationMillis: 60 * minute,
      pauseMillis: [1_000, 3_000],
      freezeMillis: isShort ? [15_000, 15_000] : [minute, minute],
      open: 10
    }))
  },
  "zombie-alone": {
    about:
      "Three hosts, each with a jobs folder of its own. One is frozen with SIGSTOP for so long that its scripts are given up as lost, and woken up with the work still in its hands.",
    prove: stormOf(({ isShort, times }) => ({
      database: "postgresql",
      hosts: 3,
      faults: ["freeze"],
      maxFaults: times ?? (isShort ? 1 : 6),
      durationMillis: 60 * minute,
      pauseMillis: [1_000, 3_000],
      freezeMillis: [minute, 1.5 * minute],
      open: 10
    }))
  },
  "database-restarts": {
    about: "PostgreSQL is restarted, fast or as by a crash, every 5 to 10 seconds under the load of two hosts.",
    prove: stormOf(({ isShort, times }) => ({
      database: "postgresql",
      hosts: 2,
      faults: ["postgres"],
      durationMillis: (times ?? (isShort ? 0.5 : 5)) * minute,
      pauseMillis: [5_000, 10_000],
      freezeMillis: [0, 0],
      open: 10
    }))
  },
  chaos: {
    about:
      "Three hosts, each with a jobs folder of its own, on one PostgreSQL under load: killed, frozen for up to a minute, restarted one after the other, with the database restarted under them, at random.",
    prove: stormOf(({ isShort, times }) => chaosPlan(times ?? (isShort ? 1 : 20)))
  }
} satisfies Readonly<Record<string, Part>>

export const partNamed = (name: string): Part | undefined => Object.entries(parts).find(([each]) => each === name)?.[1]

/** A host that is frozen for longer than what makes the others give it up needs a run that is long enough for it. */
const chaosPlan = (minutes: number): Omit<StormPlan, "seed" | "log"> => ({
  database: "postgresql",
  hosts: 3,
  faults: ["kill", "kill", "freeze", "freeze", "roll", "postgres"],
  durationMillis: minutes * minute,
  pauseMillis: [500, 6_000],
  freezeMillis: minutes < 10 ? [500, 12_000] : [500, minute],
  open: 12
})
