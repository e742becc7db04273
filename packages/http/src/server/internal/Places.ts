/** A bounded number of places for what takes memory or time: for each key, which is a user or an address, and for all together. */
import { Effect, type Scope } from "effect"
import { Overloaded, type Resource, TooMuchAtOnce } from "../../api/CommonErrors.ts"

export interface Bounds {
  readonly perKey: number
  readonly total: number
}

export interface Places {
  /**
   * Takes `size` places (1 by default) until the scope closes. One who asks for more than there ever are for a key gets all of these. One who
   * has too many is told so after 100 ms: a crowd that asks again at once would take the time of others with its refusals.
   */
  take(key: string, size?: number): Effect.Effect<void, TooMuchAtOnce | Overloaded, Scope.Scope>
}

/** Seconds after which somebody who found no place may ask again. */
const retryAfterSeconds = 1
const refusalMillis = 100

export const make = (resource: Resource, { perKey, total }: Bounds): Places => {
  const taken = new Map<string, number>()
  let all = 0
  const add = (key: string, size: number) => {
    all += size
    const own = (taken.get(key) ?? 0) + size
    if (own === 0) taken.delete(key)
    else taken.set(key, own)
  }
  return {
    take: (key, asked = 1) => {
      const size = Math.min(asked, perKey)
      return Effect.acquireRelease(
        Effect.suspend((): Effect.Effect<void, TooMuchAtOnce | Overloaded> => {
          if ((taken.get(key) ?? 0) + size > perKey)
            return Effect.fail(new TooMuchAtOnce({ resource, maximum: perKey, retryAfterSeconds }))
          if (all + size > total) return Effect.fail(new Overloaded({ resource, retryAfterSeconds }))
          return Effect.sync(() => add(key, size))
        }),
        () => Effect.sync(() => add(key, -size))
      ).pipe(Effect.tapError(({ _tag }) => (_tag === "TooMuchAtOnce" ? Effect.sleep(refusalMillis) : Effect.void)))
    }
  }
}
