/**
 * One login. Its refresh tokens are used once each; only the digests of the current one and the one before are kept.
 *
 *   live ──logout, reuse, other password──▶ revoked
 *     └────── time without a refresh ─────▶ expired
 */
import { DateTime, Schema } from "effect"
import { SessionId } from "../../ids/SessionId.ts"
import { UserId } from "../../ids/UserId.ts"

export class Session extends Schema.Class<Session>("Session")({
  sessionId: SessionId,
  userId: UserId,
  createdAt: Schema.DateTimeUtcFromString,
  /** Of the login or the last rotation. */
  refreshedAt: Schema.DateTimeUtcFromString,
  /** Moves with every rotation. */
  expiresAt: Schema.DateTimeUtcFromString,
  revokedAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** SHA-256 of the current refresh token, in hex. */
  refreshHash: Schema.NonEmptyString,
  /** SHA-256 of the one before; it was rotated at `refreshedAt`. */
  previousHash: Schema.optionalKey(Schema.NonEmptyString),
  ipAddress: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64))),
  userAgent: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500))),
  /** Raised by one with every write. A write that names an older version touches no row: another writer won. */
  version: Schema.Int
}) {}

export const isLive = (session: Session, now: DateTime.Utc): boolean =>
  session.revokedAt === undefined && DateTime.isLessThan(now, session.expiresAt)

/**
 * What a presented refresh token means. `Rotate`: it is the current one. `Replay`: the one before, within the grace; answer with
 * the same successor. `Reuse`: it was rotated earlier, so two parties hold the family. `Unknown`: the session has ended.
 */
export type RefreshVerdict = "Rotate" | "Replay" | "Reuse" | "Unknown"

/** `presentedHash` is the digest of a token that was issued for this session. */
export const judgeRefresh = (
  session: Session,
  presentedHash: string,
  now: DateTime.Utc,
  graceMillis: number
): RefreshVerdict => {
  if (!isLive(session, now)) return "Unknown"
  if (presentedHash === session.refreshHash) return "Rotate"
  const age = now.epochMilliseconds - session.refreshedAt.epochMilliseconds
  return presentedHash === session.previousHash && age <= graceMillis ? "Replay" : "Reuse"
}

/** Makes `refreshHash` current and the current one the one before. */
export const rotate = (
  session: Session,
  next: { readonly refreshHash: string; readonly at: DateTime.Utc; readonly expiresAt: DateTime.Utc }
): Session =>
  new Session({
    ...session,
    refreshHash: next.refreshHash,
    previousHash: session.refreshHash,
    refreshedAt: next.at,
    expiresAt: next.expiresAt,
    version: session.version + 1
  })
