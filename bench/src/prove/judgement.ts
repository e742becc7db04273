/** Compares what clients were told with what the API, the event log and the ledger say. Each breach is one line. */
import { readdirSync, readFileSync } from "node:fs"
import type { Fleet } from "./Fleet.ts"
import { behaviourOf } from "./scripts.ts"
import { judgeStream } from "./streams.ts"
import type { Ended, Submitted, Workload } from "./Workload.ts"

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
): Promise<{ readonly ended: ReadonlyArray<Ended>; readonly breaches: ReadonlyArray<string> }> => {
  const started = performance.now()
  const ends = await inParallel(from, (one) =>
    workload.end(one, Math.max(1_000, endMillis - (performance.now() - started)))
  )
  const ended = ends.filter((one) => one !== undefined)
  const late = from
    .filter((_, i) => ends[i] === undefined)
    .map(({ executionId, kind }) => `I3 ${executionId} (${kind}) has not ended after ${endMillis} ms`)
  const stories = await inParallel(ended, (one) => story(fleet, one))
  return { ended, breaches: [...late, ...ended.flatMap((one) => fate(one, mayLose)), ...stories.flat()] }
}

const atOnce = 16

const inParallel = async <A, B>(from: ReadonlyArray<A>, call: (one: A) => Promise<B>): Promise<ReadonlyArray<B>> => {
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
  const breaches: Array<string> = []
  const tell = (holds: boolean, what: string) => {
    if (!holds) breaches.push(`I4 ${executionId} ${what}: ${types.join(" ")}`)
  }
  tell(types[0] === "execution_requested", "does not begin with its request")
  tell(types.filter((type) => type === "execution_requested").length === 1, "was requested more than once")
  tell(types.filter((type) => ends.test(type)).length === 1, "does not end once")
  tell(
    types.slice(end + 1).every((type) => !type.startsWith("execution_") && type !== "saga_started"),
    "goes on after its end"
  )
  return [...breaches, ...(await judgeStream(fleet, executionId))]
}

/** I2: no attempt ran twice, and nothing ran that nobody was told of. */
export const judgeLedger = (file: string, ended: ReadonlyArray<Ended>): ReadonlyArray<string> => {
  const starts = new Map<string, number>()
  for (const line of readFileSync(file, "utf8")
    .split("\n")
    .filter((text) => text !== "")) {
    const [executionId = "", attempt = ""] = line.split(" ")
    const name = `${executionId} ${attempt}`
    starts.set(name, (starts.get(name) ?? 0) + 1)
  }
  const known = new Map(ended.map((one) => [one.executionId, one]))
  return [...starts].flatMap(([name, times]) => {
    const [executionId = "", attempt = ""] = name.split(" ")
    const one = known.get(executionId)
    if (times > 1) return [`I2 attempt ${attempt} of ${executionId} ran ${times} times`]
    if (one === undefined) return [`I1 a script ran for ${executionId}, which no client was told of`]
    if (Number(attempt) > one.ending.attempt) return [`I2 attempt ${attempt} of ${executionId} ran and is not counted`]
    return []
  })
}

/** I7: scripts of this run, by the mark that each carries. */
export const leftovers = (run: string): ReadonlyArray<number> => processesWith(`PROOF_RUN=${run}`)

/** Processes of this machine with the variable in their environment, `name=value`. */
export const processesWith = (variable: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`${variable}\0`)
      } catch {
        return false
      }
    })
    .map(Number)
