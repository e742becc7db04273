/**
 * Faults put around a port from outside: the n-th call of one method fails or is late. Product code knows nothing of them.
 *
 *     const stores = Faults.layer(Journal, "append", 3, Faults.failAfter(error)).pipe(Layer.provideMerge(Stores.layerMemory))
 */
import { type Context, type Duration, Effect, Layer } from "effect"

/** A member of a port that can be disturbed: an effect, or a method that answers with one. */
type Effectful =
  | Effect.Effect<unknown, unknown, unknown>
  | ((...args: never) => Effect.Effect<unknown, unknown, unknown>)

export type MethodOf<S> = { [K in keyof S]: S[K] extends Effectful ? K : never }[keyof S]

export type ErrorOf<M> =
  M extends Effect.Effect<unknown, infer E, unknown>
    ? E
    : M extends (...args: never) => Effect.Effect<unknown, infer E, unknown>
      ? E
      : never

/** What becomes of the call that is hit. */
export type Fault<E> = <A, E2, R>(call: Effect.Effect<A, E2, R>) => Effect.Effect<A, E | E2, R>

/** The call fails and never reaches the port: a connection that cannot be had. */
export const failBefore =
  <E>(error: E): Fault<E> =>
  () =>
    Effect.fail(error)

/** The call is done and fails all the same: an answer that was lost on the way. */
export const failAfter =
  <E>(error: E): Fault<E> =>
  (call) =>
    Effect.andThen(call, Effect.fail(error))

/** The call comes late. */
export const delay =
  (duration: Duration.Input): Fault<never> =>
  (call) =>
    Effect.delay(call, duration)

/** The call is done, and its answer comes late. */
export const answerLate =
  (duration: Duration.Input): Fault<never> =>
  (call) =>
    Effect.tap(call, () => Effect.sleep(duration))

/** Hits one call (1 for the first since the layer was built) of one method; all else goes through. */
export const layer = <I, S extends object, K extends MethodOf<S>>(
  port: Context.Service<I, S>,
  method: K,
  nth: number,
  fault: Fault<ErrorOf<S[K]>>
): Layer.Layer<I, never, I> => layerEvery(port, method, (call) => call === nth, fault)

/** Hits every call that `hits` names; the first is 1. */
export const layerEvery = <I, S extends object, K extends MethodOf<S>>(
  port: Context.Service<I, S>,
  method: K,
  hits: (call: number) => boolean,
  fault: Fault<ErrorOf<S[K]>>
): Layer.Layer<I, never, I> =>
  Layer.effect(
    port,
    Effect.map(port, (service) => {
      let calls = 0
      const disturb = (call: unknown) => {
        if (!Effect.isEffect(call)) return call
        return Effect.suspend(() => (hits(++calls) ? fault(call) : call))
      }
      return new Proxy(service, {
        get: (target, key) => {
          const member: unknown = Reflect.get(target, key)
          if (key !== method) return member
          if (typeof member !== "function") return disturb(member)
          return (...args: ReadonlyArray<unknown>) => disturb(Reflect.apply(member, target, args))
        }
      })
    })
  )
