/** Binds `/spare-parts` to the `SpareParts` service. No decisions here: call, translate, return. */
import type { SparePart } from "@fairlead/core/spare-parts/SparePart"
import { SpareParts } from "@fairlead/core/spare-parts/SpareParts"
import { Effect } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { CurrentPrincipal } from "../../api/Access.ts"
import { pageEcho, pageOf } from "../../api/Paging.ts"
import { SparePartsApi, type SparePartView } from "../../api/spare-parts/SparePartsApi.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"

export const SparePartsHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(SparePartsApi),
  "spare-parts",
  Effect.fnUntraced(function* (handlers) {
    const spareParts = yield* SpareParts
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query }) {
        const asked = pageOf(query, 50)
        const { total, spareParts: found } = yield* spareParts.list(yield* CurrentPrincipal, asked)
        return { items: found.map(sparePartView), ...pageEcho(asked, total, found.length) }
      }),
      create: Effect.fnUntraced(function* ({ payload }) {
        return sparePartView(yield* spareParts.create(yield* CurrentPrincipal, payload.name))
      }),
      get: Effect.fnUntraced(function* ({ params }) {
        return sparePartView(yield* spareParts.get(yield* CurrentPrincipal, params.spare_part_id))
      }),
      rename: Effect.fnUntraced(function* ({ params, payload }) {
        return sparePartView(yield* spareParts.rename(yield* CurrentPrincipal, params.spare_part_id, payload.name))
      })
    })
  }, withServices)
).pipe(lean)

const sparePartView = ({ createdAt, name, updatedAt, sparePartId }: SparePart): SparePartView => ({
  sparePartId,
  name,
  createdAt,
  updatedAt
})
