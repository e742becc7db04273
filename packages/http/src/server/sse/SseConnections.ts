/** The open event streams of this host: how many there may be, how many there are, and how they end when the instance goes away. */

import type { UserId } from "@fairlead/core/ids/UserId"
import * as CrowdLatch from "@fairlead/core/wakeups/CrowdLatch"
import { Clock, Context, Deferred, Effect, Layer, Scope } from "effect"
import { Overloaded } from "../../api/CommonErrors.ts"
import { TooManyStreams } from "../../api/executions/ExecutionProblems.ts"
import * as Heartbeats from "./Heartbeats.ts"

export interface SseSettingsShape {
  /** On one instance, of everybody. */
  readonly maxConnections: number
  /** The same of one user. */
  readonly maxConnectionsPerUser: number
  /** From one heartbeat to the next; none is sent while something else is. */
  readonly heartbeatMillis: number
  /** How long an instance that goes away waits for its streams, and what it tells clients. */
  readonly gracePeriodSeconds: number
}

/** An instance replaces it around everything that is served. */
export const SseSettings = Context.Reference<SseSettingsShape>("@fairlead/http/server/sse/SseSettings", {
  defaultValue: () => ({
    maxConnections: 4_096,
    maxConnectionsPerUser: 5,
    heartbeatMillis: 15_000,
    gracePeriodSeconds: 30
  })
})

export interface SseConnection {
  readonly connectionId: string
  /** Opens when the instance goes away. */
  readonly drained: CrowdLatch.CrowdLatch
  /** From now on it counts as reading from the store. */
  readonly consume: Effect.Effect<void>
}

export type ShutdownPhase = "ready" | "notifying" | "draining" | "closing" | "complete"

export interface SseSnapshot {
  readonly connections: number
  /** Distinct topics that somebody follows. */
  readonly topics: number
  readonly consumers: number
  readonly maxConnectionsPerUser: number
  readonly phase: ShutdownPhase
  /** Since the drain began; `undefined` before. */
  readonly drainingMillis: number | undefined
}

/** Seconds after which a user with too many streams may ask again. */
const retryAfterSeconds = 5

export class SseConnections extends Context.Service<
  SseConnections,
  {
    /** A place for one stream, given back when the scope closes. `topic` is what the stream is about. Dies of `Overloaded` when all have too many. */
    open(userId: UserId, topic: string): Effect.Effect<SseConnection, TooManyStreams, Scope.Scope>
    readonly heartbeats: Heartbeats.Heartbeats
    readonly snapshot: Effect.Effect<SseSnapshot>
    /** Waits for the instance to go away: then long waits for something else end as well, with what there is. */
    readonly drained: Effect.Effect<void>
    /**
     * Tells every stream, also those opened later, to end, and waits for that up to the grace period. Clients resume on
     * another instance. Draining twice waits twice and changes nothing.
     */
    readonly drain: Effect.Effect<void>
  }
>()("@fairlead/http/server/sse/SseConnections") {
  static readonly layer = Layer.effect(
    SseConnections,
    Effect.gen(function* () {
      const settings = yield* SseSettings
      const heartbeats = yield* Heartbeats.make(settings.heartbeatMillis)
      const drained = CrowdLatch.make()
      const open = new Map<number, { readonly userId: UserId; readonly topic: string; consumes: boolean }>()
      const counts = new Map<UserId, number>()
      let opened = 0
      let phase: ShutdownPhase = "ready"
      let drainStartMillis: number | undefined
      let emptied = yield* Deferred.make<void>()

      const count = (userId: UserId, more: 1 | -1) => {
        const own = (counts.get(userId) ?? 0) + more
        if (own === 0) counts.delete(userId)
        else counts.set(userId, own)
      }
      const close = (key: number) =>
        Effect.suspend(() => {
          const closed = open.get(key)
          open.delete(key)
          if (closed !== undefined) count(closed.userId, -1)
          return open.size === 0 ? Deferred.succeed(emptied, undefined) : Effect.void
        })
      const consume = (key: number) =>
        Effect.sync(() => {
          const connection = open.get(key)
          if (connection !== undefined) connection.consumes = true
        })
      const connect = Effect.fnUntraced(function* (userId: UserId, topic: string) {
        const maximum = settings.maxConnectionsPerUser
        if ((counts.get(userId) ?? 0) >= maximum) return yield* new TooManyStreams({ maximum, retryAfterSeconds })
        if (open.size >= settings.maxConnections)
          return yield* Effect.die(new Overloaded({ resource: "streams", retryAfterSeconds }))
        const key = ++opened
        open.set(key, { userId, topic, consumes: false })
        count(userId, 1)
        // Not `acquireRelease`: that keeps every service of the request as long as the stream.
        yield* Scope.addFinalizer(yield* Effect.scope, close(key))
        const connection: SseConnection = { connectionId: `sse-${key}`, drained, consume: consume(key) }
        return connection
      }, Effect.uninterruptible)

      return SseConnections.of({
        open: connect,
        heartbeats,
        drained: drained.await,
        snapshot: Effect.map(Clock.currentTimeMillis, (now) => ({
          connections: open.size,
          topics: new Set([...open.values()].map(({ topic }) => topic)).size,
          consumers: [...open.values()].filter(({ consumes }) => consumes).length,
          maxConnectionsPerUser: settings.maxConnectionsPerUser,
          phase,
          drainingMillis: drainStartMillis === undefined ? undefined : now - drainStartMillis
        })),
        drain: Effect.gen(function* () {
          drainStartMillis ??= yield* Clock.currentTimeMillis
          phase = "notifying"
          emptied = yield* Deferred.make<void>()
          yield* drained.open
          phase = "draining"
          if (open.size > 0)
            yield* Effect.timeoutOption(Deferred.await(emptied), `${settings.gracePeriodSeconds} seconds`)
          phase = open.size === 0 ? "complete" : "closing"
        })
      })
    })
  )
}
