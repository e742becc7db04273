/** Port: where sessions are kept. Ended ones stay until they would have expired. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { SessionId } from "../../ids/SessionId.ts"
import type { UserId } from "../../ids/UserId.ts"
import { MemoryDatabase } from "../../storage/MemoryDatabase.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { isLive, Session } from "./Session.ts"

export class SessionStore extends Context.Service<
  SessionStore,
  {
    /** Adds a session. An id that exists is a defect. */
    insert(session: Session): Effect.Effect<void, StorageError>
    find(id: SessionId): Effect.Effect<Option.Option<Session>, StorageError>
    /** Stores `session` if the stored version is exactly one below; `false` means that another writer won. One atomic step. */
    replace(session: Session): Effect.Effect<boolean, StorageError>
    /** Ends a live session and returns it; none when it had ended before or is unknown. One atomic step. */
    revoke(id: SessionId, at: DateTime.Utc): Effect.Effect<Option.Option<Session>, StorageError>
    /** Ends every live session of the user except `kept`; returns those it ended, in any order. */
    revokeAll(
      userId: UserId,
      kept: SessionId | undefined,
      at: DateTime.Utc
    ): Effect.Effect<ReadonlyArray<SessionId>, StorageError>
    /**
     * Ends the user's oldest live sessions until `limit` (at least 1) are left, by the order of their ids; never `newest`, which
     * counts as one of those left. Returns those it ended, in any order. Exact if nobody else opens a session of the user meanwhile.
     */
    revokeOldest(
      userId: UserId,
      newest: SessionId,
      limit: number,
      at: DateTime.Utc
    ): Effect.Effect<ReadonlyArray<SessionId>, StorageError>
    /** Whether a session of the user that is stored, ended or not, began at this address. */
    knowsAddress(userId: UserId, ipAddress: string): Effect.Effect<boolean, StorageError>
    /** Removes sessions that expired by `now`; returns how many. At most 10,000 at a time. */
    prune(now: DateTime.Utc): Effect.Effect<number, StorageError>
  }
>()("@fairlead/core/auth/sessions/SessionStore") {
  static readonly layerMemory = Layer.effect(
    SessionStore,
    Effect.map(MemoryDatabase, ({ table }) => {
      const sessions = table<ReadonlyMap<SessionId, Session>>(new Map())
      const end = (session: Session, at: DateTime.Utc) =>
        new Session({ ...session, revokedAt: at, version: session.version + 1 })
      return SessionStore.of({
        insert: (session) =>
          Effect.flatMap(
            sessions.modify((rows) => [
              rows.has(session.sessionId),
              rows.has(session.sessionId) ? rows : new Map(rows).set(session.sessionId, session)
            ]),
            (existed) => (existed ? Effect.die(`session ${session.sessionId} exists`) : Effect.void)
          ),
        find: (id) => Effect.map(sessions.get, (rows) => Option.fromUndefinedOr(rows.get(id))),
        replace: (session) =>
          sessions.modify((rows) =>
            rows.get(session.sessionId)?.version === session.version - 1
              ? [true, new Map(rows).set(session.sessionId, session)]
              : [false, rows]
          ),
        revoke: (id, at) =>
          sessions.modify((rows) => {
            const known = rows.get(id)
            if (known === undefined || !isLive(known, at)) return [Option.none(), rows]
            const ended = end(known, at)
            return [Option.some(ended), new Map(rows).set(id, ended)]
          }),
        revokeAll: (userId, kept, at) =>
          sessions.modify((rows) => {
            const ended = [...rows.values()]
              .filter((row) => row.userId === userId && row.sessionId !== kept && isLive(row, at))
              .map((row) => [row.sessionId, end(row, at)] as const)
            return [ended.map(([id]) => id), new Map([...rows, ...ended])]
          }),
        revokeOldest: (userId, newest, limit, at) =>
          sessions.modify((rows) => {
            const ended = [...rows.values()]
              .filter((row) => row.userId === userId && row.sessionId !== newest && isLive(row, at))
              .sort((a, b) => (a.sessionId < b.sessionId ? 1 : -1))
              .slice(limit - 1)
              .map((row) => [row.sessionId, end(row, at)] as const)
            return [ended.map(([id]) => id), new Map([...rows, ...ended])]
          }),
        knowsAddress: (userId, ipAddress) =>
          Effect.map(sessions.get, (rows) =>
            [...rows.values()].some((row) => row.userId === userId && row.ipAddress === ipAddress)
          ),
        prune: (now) =>
          sessions.modify((rows) => {
            const kept = new Map([...rows].filter(([, { expiresAt }]) => DateTime.isGreaterThan(expiresAt, now)))
            return [rows.size - kept.size, kept]
          })
      })
    })
  )
}
