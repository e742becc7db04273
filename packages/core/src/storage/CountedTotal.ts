/** How many matches a list tells of. Counting all of them would cost more the more is stored. Pure. */

/** Matches that are counted at most. */
export const maxCounted = 10_000

/**
 * `counted`: matches, counted up to `maxCounted`. Exact below that; from there on at least what the page has shown, and one more while pages
 * are full, so that whoever goes on comes to the end.
 */
export const totalOf = (
  { limit, offset }: { readonly limit: number; readonly offset: number },
  counted: number,
  returned: number
): number => (counted < maxCounted ? counted : Math.max(maxCounted, offset + returned + (returned === limit ? 1 : 0)))
