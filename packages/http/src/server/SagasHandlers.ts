/** Binds `/sagas` to the `Sagas` service. No decisions here: call, translate, return. */
import { Sagas } from "@fairlead/core/sagas/Sagas"
import { DateTime, Effect } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "../api/Access.ts"
import { pageEcho, pageOf } from "../api/Paging.ts"
import { SagasApi, type SagasSearch } from "../api/SagasApi.ts"
import { sagaHistoryView, sagaView } from "./sagaViews.ts"

export const SagasHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(SagasApi),
  "sagas",
  Effect.fnUntraced(function* (handlers) {
    const sagas = yield* Sagas

    const page = Effect.fnUntraced(
      function* (query: SagasSearch) {
        const asked = pageOf(query, 100)
        const { created_from: createdFrom, created_to: createdTo, older_than_seconds: age, place: lane } = query
        const { execution_id: executionId, name: sagaName, owner_id: ownerId, state } = query
        const unmovedSince = age === undefined ? undefined : DateTime.subtract(yield* DateTime.now, { seconds: age })
        const filter = { state, sagaName, executionId, ownerId, lane, createdFrom, createdTo, unmovedSince, ...asked }
        const { sagas: found, total } = yield* sagas.list(yield* CurrentPrincipal, filter)
        return { sagas: found.map(sagaView), ...pageEcho(asked, total, found.length) }
      },
      Effect.catchTag("StorageError", Effect.die)
    )

    return handlers.handleAll({
      list: ({ query }) => page(query),
      listOfExecution: ({ params, query }) => page({ ...query, execution_id: params.execution_id }),
      get: Effect.fnUntraced(
        function* ({ params }) {
          return sagaView(yield* sagas.get(yield* CurrentPrincipal, params.saga_id))
        },
        Effect.catchTag("StorageError", Effect.die)
      ),
      history: Effect.fnUntraced(
        function* ({ params }) {
          return sagaHistoryView(yield* sagas.history(yield* CurrentPrincipal, params.saga_id))
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
  })
)
