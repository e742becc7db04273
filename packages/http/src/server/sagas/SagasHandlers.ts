/** Binds `/sagas` to the `Sagas` service. No decisions here: call, translate, return. */
import { ExecutionRestarts } from "@fairlead/core/executions/ExecutionRestarts"
import { ForceFail } from "@fairlead/core/executions/ForceFail"
import type { SagaId } from "@fairlead/core/ids/SagaId"
import { executionSubject } from "@fairlead/core/ids/Subject"
import { Sagas } from "@fairlead/core/sagas/Sagas"
import { StuckSagas } from "@fairlead/core/sagas/StuckSagas"
import { DateTime, Effect } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "../../api/Access.ts"
import { pageEcho, pageOf } from "../../api/Paging.ts"
import { SagasApi, type SagasSearch } from "../../api/sagas/SagasApi.ts"
import { SagaHistory, SagaList, SagaStatus } from "../../api/sagas/SagaViews.ts"
import { CurrentRequestSource } from "../CurrentRequestSource.ts"
import { inRequestUnits } from "../executions/executionViews.ts"
import { answered } from "../internal/answered.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"
import { sagaHistoryView, sagaView, stuckView } from "./sagaViews.ts"

export const SagasHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(SagasApi),
  "sagas",
  Effect.fnUntraced(function* (handlers) {
    const [sagas, restarts] = [yield* Sagas, yield* ExecutionRestarts]
    const [force, stuckSagas] = [yield* ForceFail, yield* StuckSagas]

    const page = Effect.fnUntraced(function* (query: SagasSearch) {
      const asked = pageOf(query, 100)
      const { created_from: createdFrom, created_to: createdTo, older_than_seconds: age, node_id: nodeId } = query
      const { execution_id: executionId, name: sagaName, owner_id: ownerId, state } = query
      const stalledSince = age === undefined ? undefined : DateTime.subtract(yield* DateTime.now, { seconds: age })
      const subject = executionId === undefined ? undefined : executionSubject(executionId)
      const filter = { state, sagaName, subject, ownerId, nodeId, createdFrom, createdTo, stalledSince, ...asked }
      const { sagas: found, total } = yield* sagas.list(yield* CurrentPrincipal, filter)
      const page = pageEcho(asked, total, found.length)
      return answered(SagaList, { sagas: found.map(sagaView), ...page })
    })

    const restarted = Effect.fnUntraced(
      function* (restartOf: SagaId, wanted: string | undefined) {
        const caller = yield* CurrentPrincipal
        const { execution, fromStep, retryOf } = yield* restarts.restart(
          caller,
          restartOf,
          wanted,
          yield* CurrentRequestSource
        )
        return { executionId: execution.executionId, status: execution.status, retryOf, restartOf, fromStep }
      },
      Effect.catchTags({
        // Neither a key nor a time is sent with a restart.
        IdempotencyKeyReused: Effect.die,
        RunAtTooFar: Effect.die,
        LimitTooHigh: (error) => Effect.fail(inRequestUnits(error))
      })
    )

    return handlers.handleAll({
      list: ({ query }) => page(query),
      listOfExecution: ({ params, query }) => page({ ...query, execution_id: params.execution_id }),
      get: Effect.fnUntraced(function* ({ params }) {
        return answered(SagaStatus, sagaView(yield* sagas.get(yield* CurrentPrincipal, params.saga_id)))
      }),
      stuck: Effect.fnUntraced(function* ({
        query: { after, limit = 200, older_than_seconds: olderThanSeconds = 300 }
      }) {
        const asked = { olderThanSeconds, limit, after }
        const { next, stuck } = yield* stuckSagas.report(yield* CurrentPrincipal, asked)
        return { sagas: stuck.map(stuckView), next: next ?? null }
      }),
      history: Effect.fnUntraced(function* ({ params }) {
        return answered(SagaHistory, sagaHistoryView(yield* sagas.history(yield* CurrentPrincipal, params.saga_id)))
      }),
      retry: ({ params }) => restarted(params.saga_id, undefined),
      restart: ({ params, payload }) => restarted(params.saga_id, payload.fromStep),
      forceFail: Effect.fnUntraced(function* ({ params, payload }) {
        return sagaView(yield* force.forceFail(yield* CurrentPrincipal, params.saga_id, payload.reason))
      }),
      cancel: Effect.fnUntraced(function* ({ params }) {
        yield* sagas.cancel(yield* CurrentPrincipal, params.saga_id, "Saga cancelled by user request")
        return { success: true, message: "Saga cancellation requested", sagaId: params.saga_id }
      })
    })
  }, withServices)
).pipe(lean)
