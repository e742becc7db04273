/**
 * Handlers whose requests carry little. The builder hands each request every service that was around when the handlers were
 * made, by copying them one by one. Ours take the services of core while they are made, so those need not come along.
 */
import { Context, Effect, Layer } from "effect"

const Making = Context.Reference<Context.Context<never> | undefined>("@fairlead/http/server/internal/Making", {
  defaultValue: () => undefined
})

/** Around the making of handlers: gives it all services, which `lean` keeps from the requests. */
export const withServices = <A, E, R>(making: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Making, (all) => (all === undefined ? making : Effect.provideContext(making, all)))

/** The same handlers; requests find no service of core in their context. Their making must be `withServices`. */
export const lean = <A, E, R>(handlers: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
  Layer.fromBuild((memoMap, scope) =>
    Effect.updateContext(Layer.buildWithMemoMap(handlers, memoMap, scope), (all: Context.Context<R>) =>
      Context.add(withoutCore(all), Making, all)
    )
  )

const withoutCore = <R>({ mapUnsafe }: Context.Context<R>): Context.Context<R> =>
  Context.makeUnsafe(new Map([...mapUnsafe].filter(([key]) => !key.startsWith("@fairlead/core/"))))
