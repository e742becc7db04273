/** Binds `/sagas` to the `Sagas` service. No decisions here: call, translate, return. */
import type { ExecutionId } from "@fairlead/core/executions/ExecutionId"
import type { Saga } from "@fairlead/core/sagas/Saga"
import { Sagas } from "@fairlead/core/sagas/Sagas"
import { Effect } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "../api/Access.ts"
import { pageEcho, pageOf } from "../api/Paging.ts"
import { SagasApi, type SagasQuery, type SagaView } from "../api/SagasApi.ts"
import { lean, withServices } from "./internal/leanHandlers.ts"

export const SagasHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(SagasApi),
  "sagas",
  Effect.fnUntraced(function* (handlers) {
    const sagas = yield* Sagas

    const page = Effect.fnUntraced(
      function* (query: SagasQuery, executionId?: ExecutionId) {
        const asked = pageOf(query, 100)
        const filter = { state: query.state, executionId, ...asked }
        const { sagas: found, total } = yield* sagas.list(yield* CurrentPrincipal, filter)
        return { sagas: found.map(sagaView), ...pageEcho(asked, total, found.length) }
      },
      Effect.catchTag("StorageError", Effect.die)
    )

    return handlers.handleAll({
      list: ({ query }) => page(query),
      listOfExecution: ({ params, query }) => page(query, params.execution_id),
      get: Effect.fnUntraced(
        function* ({ params }) {
          return sagaView(yield* sagas.get(yield* CurrentPrincipal, params.saga_id))
        },
        Effect.catchTag("StorageError", Effect.die)
      ),
      cancel: Effect.fnUntraced(
        function* ({ params }) {
          yield* sagas.cancel(yield* CurrentPrincipal, params.saga_id, "Saga cancelled by user request")
          return { success: true, message: "Saga cancellation requested", sagaId: params.saga_id }
        },
        Effect.catchTag("StorageError", Effect.die)
      )
    })
  }, withServices)
).pipe(lean)

const sagaView = (saga: Saga): SagaView => ({
  sagaId: saga.sagaId,
  sagaName: saga.sagaName,
  executionId: saga.executionId,
  state: saga.state,
  currentStep: saga.currentStep ?? null,
  completedSteps: saga.completedSteps,
  compensatedSteps: saga.compensatedSteps,
  errorMessage: saga.errorMessage ?? null,
  createdAt: saga.createdAt,
  updatedAt: saga.updatedAt,
  completedAt: saga.completedAt ?? null,
  retryCount: saga.retryCount
})
