/** A spare part. Pure: only the functions below decide how it changes. */
import { type DateTime, Result, Schema } from "effect"
import { SparePartId } from "../ids/SparePartId.ts"
import { UserId } from "../ids/UserId.ts"
import { SparePartUnchanged } from "./SparePartError.ts"

/** 1 to 100 characters. */
export const SparePartName = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(100))

export class SparePart extends Schema.Class<SparePart>("SparePart")({
  sparePartId: SparePartId,
  ownerId: UserId,
  name: SparePartName,
  /** 1 when created, one more with each change. */
  version: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2_147_483_647 })),
  createdAt: Schema.DateTimeUtcFromString,
  updatedAt: Schema.DateTimeUtcFromString
}) {}

/** Gives the spare part another name; the name it has already is refused. */
export const rename = (
  sparePart: SparePart,
  name: string,
  updatedAt: DateTime.Utc
): Result.Result<SparePart, SparePartUnchanged> =>
  sparePart.name === name
    ? Result.fail(new SparePartUnchanged({ sparePartId: sparePart.sparePartId }))
    : Result.succeed(new SparePart({ ...sparePart, name, version: sparePart.version + 1, updatedAt }))
