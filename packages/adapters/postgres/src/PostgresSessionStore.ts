/** `SessionStore` over `sessions`. */
import { Session } from "@fairlead/core/auth/sessions/Session"
import { SessionStore } from "@fairlead/core/auth/sessions/SessionStore"
import { SessionId } from "@fairlead/core/ids/SessionId"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"

const stored = jsonText(Session)
const encode = Schema.encodeEffect(stored)
const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ session: stored })))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ session_id: SessionId })))
const encodeEnd = Schema.encodeEffect(jsonText(Schema.Struct({ revokedAt: Schema.DateTimeUtcFromString })))

const first = (rows: ReadonlyArray<unknown>) =>
  Effect.map(decode(rows), ([row]) => Option.map(Option.fromUndefinedOr(row), ({ session }) => session))

export const layer = Layer.effect(
  SessionStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient

    /** Ends the live sessions that match. */
    const end = Effect.fnUntraced(function* (matches: Statement.Fragment, at: DateTime.Utc) {
      const patch = yield* encodeEnd({ revokedAt: at })
      return yield* sql`update sessions set revoked = true, version = version + 1,
          session = session || ${patch}::text::jsonb || jsonb_build_object('version', version + 1)
        where ${matches} and not revoked and expires_at > ${DateTime.formatIso(at)} returning session_id, session::text as session`
    })

    return SessionStore.of({
      insert: Effect.fnUntraced(function* (session) {
        const added = yield* sql`insert into sessions
            (session_id, user_id, ip_address, expires_at, revoked, version, session)
          values (${session.sessionId}, ${session.userId}, ${session.ipAddress ?? null},
            ${DateTime.formatIso(session.expiresAt)}, ${session.revokedAt !== undefined}, ${session.version},
            ${yield* encode(session)}::text::jsonb)
          on conflict do nothing returning session_id`
        if (added.length === 0) return yield* Effect.die(`session ${session.sessionId} exists`)
      }, storageError("SessionStore.insert")),

      find: Effect.fnUntraced(function* (id) {
        return yield* first(yield* sql`select session::text as session from sessions where session_id = ${id}`)
      }, storageError("SessionStore.find")),

      replace: Effect.fnUntraced(function* (session) {
        const written = yield* sql`update sessions set expires_at = ${DateTime.formatIso(session.expiresAt)},
            revoked = ${session.revokedAt !== undefined}, version = ${session.version},
            session = ${yield* encode(session)}::text::jsonb
          where session_id = ${session.sessionId} and version = ${session.version - 1} returning session_id`
        return written.length === 1
      }, storageError("SessionStore.replace")),

      revoke: Effect.fnUntraced(function* (id, at) {
        return yield* first(yield* end(sql`session_id = ${id}`, at))
      }, storageError("SessionStore.revoke")),

      revokeAll: Effect.fnUntraced(function* (userId, kept, at) {
        const others = kept === undefined ? sql`` : sql`and session_id <> ${kept}`
        const ended = yield* decodeIds(yield* end(sql`user_id = ${userId} ${others}`, at))
        return ended.map(({ session_id }) => session_id)
      }, storageError("SessionStore.revokeAll")),

      // Leans on `sessions_live`: ended sessions, of which a user may have any number, are not read.
      revokeOldest: Effect.fnUntraced(function* (userId, newest, limit, at) {
        const oldest = sql`select session_id from sessions
          where user_id = ${userId} and not revoked and expires_at > ${DateTime.formatIso(at)} and session_id <> ${newest}
          order by session_id desc offset ${limit - 1}`
        const ended = yield* decodeIds(yield* end(sql`session_id in (${oldest})`, at))
        return ended.map(({ session_id }) => session_id)
      }, storageError("SessionStore.revokeOldest")),

      knowsAddress: Effect.fnUntraced(function* (userId, ipAddress) {
        const found = yield* sql`select 1 from sessions
          where user_id = ${userId} and ip_address = ${ipAddress} limit 1`
        return found.length > 0
      }, storageError("SessionStore.knowsAddress")),

      prune: Effect.fnUntraced(function* (now) {
        const gone = yield* sql`delete from sessions where session_id in (
          select session_id from sessions where expires_at <= ${DateTime.formatIso(now)}
          limit 10000 for update skip locked) returning 1`
        return gone.length
      }, storageError("SessionStore.prune"))
    })
  })
)
