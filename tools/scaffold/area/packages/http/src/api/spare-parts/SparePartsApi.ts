/** Contract of `/spare-parts`. */

import { SparePartId } from "@fairlead/core/ids/SparePartId"
import { SparePartName } from "@fairlead/core/spare-parts/SparePart"
import { SparePartContended, SparePartNotFound, SparePartUnchanged } from "@fairlead/core/spare-parts/SparePartError"
import { Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { area, operation } from "../Area.ts"
import { pageFields, pageQuery } from "../Paging.ts"
import { problem } from "../Problem.ts"
import { wire } from "../Wire.ts"

const View = Schema.Struct({
  sparePartId: SparePartId,
  name: Schema.String,
  createdAt: Schema.DateTimeUtcFromString,
  updatedAt: Schema.DateTimeUtcFromString
})
export type SparePartView = typeof View.Type
const SparePartAnswer = wire("SparePartResponse", View)
const SparePartList = wire("SparePartListResponse", Schema.Struct({ items: Schema.Array(View), ...pageFields }))
const SparePartNaming = wire("SparePartNaming", Schema.Struct({ name: SparePartName }))

const sparePartNotFound = problem(SparePartNotFound, {
  status: 404,
  title: "No such spare part",
  detail: ({ sparePartId }) => `There is no spare part ${sparePartId}.`
})
const sparePartUnchanged = problem(SparePartUnchanged, {
  status: 409,
  title: "Nothing to change",
  detail: ({ sparePartId }) => `The spare part ${sparePartId} has that name already.`
})
const sparePartContended = problem(SparePartContended, {
  status: 409,
  title: "SparePart is being changed",
  detail: ({ sparePartId }) => `Others are changing the spare part ${sparePartId}; try again.`
})

const params = { spare_part_id: SparePartId }
const query = Schema.Struct(pageQuery(500))

export class SparePartsApi extends area("spare-parts", "SpareParts: list, create, look up, rename", [
  HttpApiEndpoint.get("list", "/spare-parts", { query, success: SparePartList }).annotateMerge(
    operation(
      "spare-parts:read",
      "List spare parts",
      "SpareParts that the caller may see, newest first, 50 unless `limit` says otherwise."
    )
  ),
  HttpApiEndpoint.post("create", "/spare-parts", {
    payload: SparePartNaming,
    success: SparePartAnswer
  }).annotateMerge(operation("spare-parts:write", "Create a spare part", "The spare part belongs to the caller.")),
  HttpApiEndpoint.get("get", "/spare-parts/:spare_part_id", {
    params,
    success: SparePartAnswer,
    error: sparePartNotFound
  }).annotateMerge(operation("spare-parts:read", "Get a spare part", "One spare part; 404 also for somebody else's.")),
  HttpApiEndpoint.patch("rename", "/spare-parts/:spare_part_id", {
    params,
    payload: SparePartNaming,
    success: SparePartAnswer,
    error: [sparePartNotFound, sparePartUnchanged, sparePartContended]
  }).annotateMerge(
    operation(
      "spare-parts:write",
      "Rename a spare part",
      "Gives the spare part another name; the name it has already is refused."
    )
  )
]) {}
