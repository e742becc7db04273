/** Compares what clients were told with what the API, the event log and the ledger say. Each violation is one line. */
import { readFileSync } from "node:fs"
import type { Fleet } from "./Fleet.ts"
import { leftovers } from "./processes.ts"
import { behaviourOf } from "./scripts.ts"
import { judgeStream } from "./streams.ts"
import type { Ended, Submitted, Workload } from "./Workload.ts"
import { until } from "./waiting.ts"
import type { Workshop } from "./workshop.ts"

export interface Oracle {
  /** How long every execution may take to its end from now on. */
  readonly endMillis: number
  /** Whether a host was away for so long that its scripts may be given up as lost. */
  readonly mayLose: boolean
}

/** Of everything that `from` says was submitted. */
export const judge = async (
  fleet: Fleet,
  workload: Workload,
  from: ReadonlyArray<Submitted>,
  { endMillis, mayLose }: Oracle
): Promise<{ readonly ended: ReadonlyArray<Ended>; readonly violations: ReadonlyArray<string> }> => {
  const started = performance.now()
  const ends = await inParallel(from, (one) =>
    workload.end(one, Math.max(1_000, endMillis - (performance.now() - started)))
  )
  const ended = ends.filter((one) => one !== undefined)
  const late = from
    .filter((_, i) => ends[i] === undefined)
    .map(({ executionId, kind }) => `I3 ${executionId} (${kind}) has not ended after ${endMillis} ms`)
  const stories = await inParallel(ended, (one) => story(fleet, one))
  return { ended, violations: [...late, ...ended.flatMap((one) => fate(one, mayLose)), ...stories.flat()] }
}

const atOnce = 16

/** A few calls at a time; the answers stand where their questions stood. */
export const inParallel = async <A, B>(
  from: ReadonlyArray<A>,
  call: (one: A) => Promise<B>
): Promise<ReadonlyArray<B>> => {
  const answers: Array<B> = []
  let next = 0
  const worker = async () => {
    while (next < from.length) {
      const i = next++
      const one = from[i]
      if (one !== undefined) answers[i] = await call(one)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return answers
}

/** I1 and I3: it is there, and it ended as a script of its kind may. */
const fate = (one: Ended, mayLose: boolean) => {
  const { ending, errorCause, errorType, executionId, kind } = one
  if (ending.status === "missing") return [`I1 ${executionId} (${kind}) was accepted and is not there`]
  if (behaviourOf(kind).mayEnd(ending)) return []
  if (mayLose && ending.status === "error" && errorCause === "lost") return []
  return [`I3 ${executionId} (${kind}) ended as ${JSON.stringify({ ...ending, errorType, errorCause })}`]
}

const ends = /^execution_(completed|failed|timeout|cancelled|error)$/

/** I4: the story begins once, ends once, and nothing follows the end but the result. */
const story = async (fleet: Fleet, { ending, executionId }: Ended): Promise<ReadonlyArray<string>> => {
  if (ending.status === "missing") return []
  const { body } = await fleet.ask("GET", `/executions/${executionId}/events?limit=1000`)
  const types = Array.isArray(body) ? body.map(({ event_type }) => String(event_type)) : []
  const end = types.findIndex((type) => ends.test(type))
  const violations: Array<string> = []
  const tell = (holds: boolean, what: string) => {
    if (!holds) violations.push(`I4 ${executionId} ${what}: ${types.join(" ")}`)
  }
  tell(types[0] === "execution_requested", "does not begin with its request")
  tell(types.filter((type) => type === "execution_requested").length === 1, "was requested more than once")
  tell(types.filter((type) => ends.test(type)).length === 1, "does not end once")
  tell(
    types.slice(end + 1).every((type) => !type.startsWith("execution_") && type !== "saga_started"),
    "goes on after its end"
  )
  return [...violations, ...(await judgeStream(fleet, executionId))]
}

/** What must hold when everything has ended. Ends the hosts. */
export const judgeAll = async (
  { fleet, ledgerFile, run }: Workshop,
  ended: ReadonlyArray<Pick<Ended, "executionId">>
): Promise<ReadonlyArray<string>> => [
  ...untold(ledgerFile, ended),
  ...(await orphans(run)),
  // I2, I6 and whatever else can be read from what is stored.
  ...(await fleet.verify(ledgerFile))
]

/** I1, seen from the other side. */
const untold = (ledgerFile: string, ended: ReadonlyArray<Pick<Ended, "executionId">>) => {
  const told = new Set(ended.map(({ executionId }) => executionId))
  const began = readFileSync(ledgerFile, "utf8")
    .split("\n")
    .map((line) => line.split(" ", 1).join())
  return [...new Set(began)]
    .filter((executionId) => executionId !== "" && !told.has(executionId))
    .map((executionId) => `I1 a script ran for ${executionId}, which no client was told of`)
}

/** I7: a minute after the last end nothing of it runs. */
const orphans = (run: string): Promise<ReadonlyArray<string>> =>
  until("no script is left", () => (leftovers(run).length === 0 ? [] : undefined), 65_000, 500).catch(() =>
    leftovers(run).map((pid) => `I7 process ${pid} of a script that has ended is still there`)
  )
