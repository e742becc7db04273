/**
 * One user's crowd and another one's single scripts, on a host with few slots: while thousands of the first wait, each single one must
 * begin as soon as a slot is free. Counted from the events of the log, so that the speed of the machine says nothing.
 */
import { round, type Summary, summarize } from "../support/stats.ts"
import type { Fleet } from "./Fleet.ts"
import { inParallel, judge, judgeAll } from "./judgement.ts"
import type { PostgresServer } from "./PostgresServer.ts"
import { makeWorkload, type Workload } from "./Workload.ts"
import { until } from "./waiting.ts"
import { inWorkshop } from "./workshop.ts"

export interface FairnessOptions {
  /** Scripts of the crowd. */
  readonly crowd: number
  readonly log: (line: string) => void
}

export interface FairnessReport {
  readonly slots: number
  readonly crowd: number
  readonly singles: number
  /** Scripts of the crowd that waited when the last single one began. */
  readonly stillWaiting: number
  /** Of those that were accepted at first and at last. */
  readonly part: number
  readonly acceptedPerSecond: { readonly all: number; readonly first: number; readonly last: number }
  /** Scripts of the crowd that began between the request of a single one and its beginning, for each single one. */
  readonly overtaken: ReadonlyArray<number>
  readonly waitMillis: Summary
  readonly violations: ReadonlyArray<string>
}

const [slots, singles, clients] = [2, 10, 8]
const host = "host-1"

export const fairness = ({ crowd, log }: FairnessOptions): Promise<FairnessReport> =>
  inWorkshop(
    {
      hosts: 1,
      database: "postgresql",
      environment: { FAIRLEAD_MAX_RUNNING: `${slots}`, FAIRLEAD_MAX_ACTIVE: "1000000" }
    },
    async (workshop) => {
      const { fleet, ledgerFile, postgres, run } = workshop
      if (postgres === undefined) throw new Error("the events are counted in PostgreSQL")
      await fleet.start(host)
      const [many, one] = [await userOf(fleet, "many"), await userOf(fleet, "one")]
      const crowded = makeWorkload(many, `${run}-many`, ledgerFile)
      const single = makeWorkload(one, `${run}-one`, ledgerFile)

      const accepted = await submitAll(crowded, crowd)
      log(`fairness: ${crowd} scripts accepted within ${Math.round(accepted.at(-1) ?? 0)} ms`)
      for (let n = 1; n <= singles; n++) await single.end(await single.submit("succeeds"), 60_000)
      const overtaken = await Promise.all(single.submitted.map(({ executionId }) => begunBefore(postgres, executionId)))
      const waits = await Promise.all(single.submitted.map(({ executionId }) => waited(postgres, executionId)))
      const [waiting] = await postgres.query(database, "select count(*) from queue_entries where state = 'waiting'")
      log(`fairness: ${overtaken.join(", ")} scripts of the crowd began meanwhile, ${waiting} wait`)

      const verdict = await judge(fleet, single, single.submitted, { endMillis: 60_000, mayLose: false })
      const violations = [...verdict.violations, ...(await dismiss(many, crowded, postgres))]
      violations.push(
        ...overtaken.flatMap((count, i) =>
          count <= slots ? [] : [`single script ${i + 1} was overtaken by ${count}, with ${slots} slots`]
        )
      )
      if (Number(waiting) === 0) violations.push("the crowd was through before the single scripts were")
      violations.push(...fleet.deaths, ...(await judgeAll(workshop, [...crowded.submitted, ...single.submitted])))
      if (violations.length > 0) log(fleet.output())
      const part = Math.min(1_000, Math.floor(crowd / 2))
      return {
        slots,
        crowd,
        singles,
        stillWaiting: Number(waiting),
        part,
        acceptedPerSecond: {
          all: perSecond(accepted),
          first: perSecond(accepted.slice(0, part)),
          last: perSecond(accepted.slice(-part), accepted.at(-part - 1))
        },
        overtaken,
        waitMillis: summarize(waits),
        violations
      }
    }
  )

type Client = Pick<Fleet, "ask">

/** A new user, and calls with a key of theirs. */
const userOf = async (fleet: Fleet, username: string): Promise<Client> => {
  const password = "Taking-Turns-0001"
  const answered = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fleet.ask("POST", path, body, headers)
    if (answer.status >= 300) throw new Error(`${path} was answered ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  await answered("/auth/register", { username, email: `${username}@example.com`, password })
  const { access_token: token } = await answered("/auth/login", { username, password })
  const { key } = await answered("/auth/api-keys", { name: "fairness" }, { authorization: `Bearer ${token}` })
  return { ask: (method, path, body, more = {}) => fleet.ask(method, path, body, { ...more, "x-api-key": `${key}` }) }
}

/** When each answer came, in milliseconds since the first request, in order. */
const submitAll = async (crowded: Workload, crowd: number) => {
  const began = performance.now()
  const answers: Array<number> = []
  let left = crowd
  const client = async () => {
    while (left-- > 0) {
      await crowded.submit("succeeds")
      answers.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return answers
}

const perSecond = (answers: ReadonlyArray<number>, from = 0) =>
  round((answers.length * 1000) / Math.max(1, (answers.at(-1) ?? 0) - from))

const database = "fairlead"

/** Scripts of others that began behind the request of this one and before its beginning. */
const begunBefore = async (postgres: PostgresServer, executionId: string) => {
  const at = (tag: string) =>
    `(select pos from events where stream = 'execution/${executionId}' and tag = '${tag}' order by pos limit 1)`
  const [count] = await postgres.query(
    database,
    `select count(*) from events where tag = 'ExecutionStarted' and pos > ${at("ExecutionRequested")} and pos < ${at("ExecutionStarted")}`
  )
  return Number(count)
}

const waited = async (postgres: PostgresServer, executionId: string) => {
  const [millis] = await postgres.query(
    database,
    `select 1000 * extract(epoch from (execution ->> 'startedAt')::timestamptz - created_at) from executions where execution_id = '${executionId}'`
  )
  return Number(millis)
}

/** The crowd is cancelled: none of it may end in another way than this or well. */
const dismiss = async (many: Client, crowded: Workload, postgres: PostgresServer) => {
  const waiting = new Set(await postgres.query(database, "select execution_id from queue_entries"))
  const left = crowded.submitted.filter(({ executionId }) => waiting.has(executionId))
  await inParallel(left, ({ executionId }) =>
    many.ask("POST", `/executions/${executionId}/cancel`, { reason: "proof" })
  )
  const isOver = async () => {
    const [entries] = await postgres.query(database, "select count(*) from queue_entries")
    return entries === "0" ? true : undefined
  }
  const late = await until("the crowd has ended", isOver, 60_000, 500).then(
    () => [],
    (error: unknown) => [`I3 ${String(error)}`]
  )
  const ends = await postgres.query(
    database,
    "select execution_id, status from executions where status not in ('completed', 'cancelled')"
  )
  return [...late, ...ends.map((end) => `I3 ${end.replace("|", " ended as ")}`)]
}
