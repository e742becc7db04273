/** Pages of lists, in all spellings of existing clients: `limit` with `skip`, `offset` or `page`. */
import { Schema } from "effect"

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

export interface PageQuery {
  readonly limit?: number | undefined
  readonly skip?: number | undefined
  readonly offset?: number | undefined
  readonly page?: number | undefined
}

/** A part of a list: `limit` rows after the first `offset`. */
export interface Page {
  readonly limit: number
  readonly offset: number
}

/** Spread into the `query` of an endpoint. */
export const pageQuery = (maximumLimit: number) => ({
  limit: Schema.optional(whole(1, maximumLimit)),
  skip: Schema.optional(whole(0, 1_000_000)),
  offset: Schema.optional(whole(0, 1_000_000)),
  page: Schema.optional(whole(1, 1_000_000))
})

/** `page` counts from 1 and beats `offset`, which beats `skip`. The offset is at most 1,000,000, so that no page costs a full scan. */
export const pageOf = (query: PageQuery, defaultLimit: number): Page => {
  const limit = query.limit ?? defaultLimit
  const offset = query.page === undefined ? (query.offset ?? query.skip ?? 0) : (query.page - 1) * limit
  return { limit, offset: Math.min(offset, 1_000_000) }
}

/** Spread into the struct of a list answer, beside its items; give it to `wire`. */
export const pageFields = {
  total: Schema.Int.annotate({
    description: "Matches on all pages: exact below 10,000, at least that many from there on."
  }),
  limit: Schema.Int,
  skip: Schema.Int,
  offset: Schema.Int,
  hasMore: Schema.Boolean,
  page: Schema.Int,
  pages: Schema.Int
}

/** `returned` is the number of rows in this answer. An empty list has one page. */
export const pageEcho = ({ limit, offset }: Page, total: number, returned: number) => ({
  total,
  limit,
  skip: offset,
  offset,
  hasMore: offset + returned < total,
  page: Math.floor(offset / limit) + 1,
  pages: Math.max(1, Math.ceil(total / limit))
})
