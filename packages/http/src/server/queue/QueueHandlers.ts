/** Binds `/queue` to the `Queue` service. No decisions here: call, translate, return. */
import { Queue } from "@fairlead/core/queue/Queue"
import type { QueueEntry } from "@fairlead/core/queue/QueueEntry"
import type { QueuePosition } from "@fairlead/core/queue/QueueEstimates"
import { Effect } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "../../api/Access.ts"
import { pageEcho, pageOf } from "../../api/Paging.ts"
import { EntryDetail, type EntryView, QueueApi, QueueList } from "../../api/queue/QueueApi.ts"
import { CurrentRequestSource } from "../CurrentRequestSource.ts"
import { standingView } from "../executions/executionViews.ts"
import { answered } from "../internal/answered.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"

export const QueueHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(QueueApi),
  "queue",
  Effect.fnUntraced(function* (handlers) {
    const queue = yield* Queue
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query }) {
        const asked = pageOf(query, 100)
        const { owner_id: ownerId, runtime, state } = query
        const filter = { ownerId, runtime, state, ...asked }
        const { entries, queues, pauses, total } = yield* queue.list(yield* CurrentPrincipal, filter)
        const runtimes = queues.map(({ waitSeconds, ...queue }) => ({
          ...queue,
          estimatedWaitSeconds: waitSeconds ?? null
        }))
        const page = pageEcho(asked, total, entries.length)
        return answered(QueueList, { entries: entries.map(entryView), ...page, runtimes, pauses })
      }),
      pauses: () => Effect.map(queue.pauses, (pauses) => ({ pauses })),
      pause: Effect.fnUntraced(function* ({ payload: { reason, scope } }) {
        return yield* queue.pause(yield* CurrentPrincipal, scope, reason, yield* CurrentRequestSource)
      }),
      resume: Effect.fnUntraced(function* ({ payload: { reason = "", scope } }) {
        return {
          scope,
          resumed: yield* queue.resume(yield* CurrentPrincipal, scope, reason, yield* CurrentRequestSource)
        }
      }),
      get: Effect.fnUntraced(function* ({ params }) {
        return answered(EntryDetail, detailView(yield* queue.get(yield* CurrentPrincipal, params.execution_id)))
      }),
      reprioritise: Effect.fnUntraced(function* ({ params, payload }) {
        const caller = yield* CurrentPrincipal
        const { execution_id: id } = params
        return detailView(yield* queue.reprioritise(caller, id, payload.priority, yield* CurrentRequestSource))
      })
    })
  }, withServices)
).pipe(lean)

const entryView = ({ concurrencyKey, requirement: _, nodeId, runAt, sagaId: __, ...entry }: QueueEntry): EntryView => ({
  ...entry,
  runAt: runAt ?? null,
  concurrencyKey: concurrencyKey ?? null,
  nodeId: nodeId ?? null
})

const detailView = ({ entry, position }: { readonly entry: QueueEntry; readonly position: QueuePosition }) => ({
  ...entryView(entry),
  queue: standingView(position)
})
