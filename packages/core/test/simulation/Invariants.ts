/** The promises of core that must hold at any moment, read from the stores and the machines themselves. */
import { EventLog } from "@fairlead/core/events/EventLog"
import { isTerminal } from "@fairlead/core/executions/ExecutionStatus"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import type { QueueEntry } from "@fairlead/core/queue/QueueEntry"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { isEnded, type Saga } from "@fairlead/core/sagas/Saga"
import type { LoggedEntry } from "@fairlead/core/sagas/SagaEntry"
import { fold } from "@fairlead/core/sagas/SagaProgress"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Context, DateTime, Effect, Result } from "effect"
import type { World } from "./World.ts"

/** Looks at everything once; remembers what it saw, to notice what falls. */
export const watch = (world: World) => {
  const executions = Context.get(world.stores, ExecutionStore)
  const sagas = Context.get(world.stores, SagaStore)
  const queue = Context.get(world.stores, QueueStore)
  const storage = Context.get(world.stores, Storage)
  const seen = new Map<string, Saga>()
  const reported = new Map<string, string>()

  const lookAtExecutions = Effect.gen(function* () {
    const { executions: rows } = yield* executions.list({ limit: 500, offset: 0 })
    const byId = new Map(rows.map((row) => [row.executionId, row]))
    for (const [id, { seen: last }] of world.view.subjects) {
      const row = byId.get(id)
      if (row === undefined) world.hear({ _tag: "NotFound", id })
      else if (row !== last) world.hear({ _tag: "Seen", execution: row })
    }
    for (const { attempt, executionId, status } of rows) {
      const now = `${status} ${attempt}`
      if (reported.get(executionId) === now) continue
      reported.set(executionId, now)
      world.note(`${short(executionId)} is ${now}`)
    }
  })

  const lookAtSagas = storage.transaction(
    Effect.gen(function* () {
      for (const saga of (yield* sagas.list({ limit: 1_000, offset: 0 })).sagas) {
        const before = seen.get(saga.sagaId)
        if (before === saga) continue
        seen.set(saga.sagaId, saga)
        const fault = fellBack(before, saga) ?? leftAlone(saga) ?? faultOfLog(saga, yield* sagas.log(saga.sagaId))
        if (fault !== undefined) world.violate(`saga of ${short(saga.subject.id)}: ${fault}`)
      }
    })
  )

  const lookAtLine = Effect.gen(function* () {
    const { entries } = yield* queue.list({ limit: 500, offset: 0 })
    const assigned = entries.filter(({ state }) => state === "assigned")
    const { maxRunning, nodes, perUser } = world.plan
    const crowded = (what: string, most: number, of: (entry: QueueEntry) => string | undefined) => {
      for (const [name, count] of countBy(assigned, of))
        if (count > most) world.violate(`${count} admitted to ${what} ${name}, which takes ${most}`)
    }
    if (new Set(nodes).size === nodes.length) crowded("node", maxRunning, ({ nodeId }) => nodeId)
    // The key that was asked for, not the one that the line knows.
    crowded("key", 1, ({ executionId, ownerId }) => {
      const key = world.view.subjects.get(executionId)?.request.concurrencyKey
      return key && `${short(ownerId)}/${key}`
    })
    if (perUser !== undefined) crowded("user", perUser, ({ ownerId }) => short(ownerId))
  })

  const lookAtStarts = Effect.sync(() => {
    for (const [attempt, count] of countBy(
      world.machines.flatMap(({ starts }) => starts),
      (start) => start
    ))
      if (count > 1) world.violate(`job ${short(attempt)} was started ${count} times`)
  })

  return Effect.all([lookAtExecutions, lookAtSagas, lookAtLine, lookAtStarts], { discard: true }).pipe(Effect.orDie)
}

const terminalTags = ["ExecutionCompleted", "ExecutionFailed", "ExecutionTimeout", "ExecutionCancelled"]

/** What must hold once everything has ended. */
export const check = Effect.fnUntraced(function* (world: World) {
  const executions = Context.get(world.stores, ExecutionStore)
  const log = Context.get(world.stores, EventLog)
  const { entries } = yield* Context.get(world.stores, QueueStore).list({ limit: 500, offset: 0 })
  for (const { executionId, state } of entries)
    world.violate(`${short(executionId)} is ${state} in the line at the end`)
  const { executions: rows } = yield* executions.list({ limit: 500, offset: 0 })
  const { sagas } = yield* Context.get(world.stores, SagaStore).list({ limit: 1_000, offset: 0 })
  for (const saga of sagas)
    if (!isEnded(saga.state)) world.violate(`a saga has not ended: ${short(JSON.stringify(saga))}`)
  for (const { executionId, status } of rows)
    if (!isTerminal(status)) world.violate(`${short(executionId)} has not ended: ${status}`)
  for (const [id, { cancelledAtMillis, removed }] of world.view.subjects) {
    const events = yield* log.readStream(`execution/${id}`, { afterVersion: 0, limit: 1_000 })
    const tags = events.map(({ event }) => event._tag)
    const ends = tags.filter((tag) => terminalTags.includes(tag)).length
    if (ends !== 1) world.violate(`${short(id)} has ${ends} last events: ${tags.join(" ")}`)
    const behind = tags.slice(tags.findIndex((tag) => terminalTags.includes(tag)) + 1)
    const odd = behind.filter((tag) => !/^(Result|Saga|ExecutionDeleted$)/.test(tag))
    if (odd.length > 0) world.violate(`${short(id)} has ${odd.join(" ")} after its end`)
    if (tags.includes("ExecutionDeleted") !== removed)
      world.violate(`${short(id)} was removed: ${removed}, says ${tags.at(-1)}`)
    const failed = events.findIndex(
      ({ at, event }) =>
        event._tag === "ExecutionAttemptFailed" && DateTime.toEpochMillis(at) > (cancelledAtMillis ?? Infinity)
    )
    if (failed >= 0 && tags.indexOf("ExecutionStarted", failed) >= 0)
      world.violate(`${short(id)} was tried again after its cancellation was acknowledged`)
  }
  for (const machine of world.machines)
    for (const { handle } of yield* machine.runtime.list)
      world.violate(`job ${short(handle.jobId)} is left in ${machine.node}`)
})

const fellBack = (before: Saga | undefined, now: Saga) => {
  if (before === undefined) return undefined
  if (now.fence < before.fence) return `its fence fell from ${before.fence} to ${now.fence}`
  if (now.dispatch < before.dispatch) return `its dispatch fell from ${before.dispatch} to ${now.dispatch}`
  return before.completedAt !== undefined && before.logLength !== now.logLength ? "it went on after its end" : undefined
}

/** Whoever asks for a cancellation, and whoever parks a saga, sees to it that somebody drives what is to be cancelled. */
const leftAlone = ({ cancelRequest, suspended, state }: Saga) =>
  suspended === true && cancelRequest !== undefined && !isEnded(state)
    ? "it is to be cancelled and is suspended, so that nobody executes it"
    : undefined

const faultOfLog = (saga: Saga, log: ReadonlyArray<LoggedEntry>): string | undefined => {
  if (log.length !== saga.logLength) return `it has ${log.length} entries and says ${saga.logLength}`
  if (log.some(({ seq }, i) => seq !== i + 1)) return `its log is numbered ${log.map(({ seq }) => seq).join(" ")}`
  if (log.some(({ fence }, i) => fence < (log[i - 1]?.fence ?? 0))) return "a fence falls in its log"
  const progress = fold(log.map(({ entry }) => entry))
  if (Result.isFailure(progress))
    return `its log does not fold: ${progress.failure.entryTag} at ${progress.failure.seq}`
  const { completed, open, undone } = progress.success
  const order = [...completed.map(({ step }) => step), ...(open === undefined ? [] : [open.step])].reverse()
  const undoneAt = undone.map((step) => order.indexOf(step))
  if (undoneAt.some((at, i) => at <= (undoneAt[i - 1] ?? -1))) return `it undid ${undone.join(" ")} out of order`
  return undefined
}

const countBy = <A>(items: ReadonlyArray<A>, of: (item: A) => string | undefined) => {
  const counts = new Map<string, number>()
  for (const item of items) {
    const name = of(item)
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/** The end of an id tells it apart in one run. */
export const short = (text: string) =>
  text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{8}/g, "…")
