/** Why a database cannot be used, told to the person who starts the host: what is wrong with it, and what to do. */
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Predicate, Schema } from "effect"

/** Found at the start, before anything is written. Neither text holds a secret. */
export class DatabaseUnsuitable extends Schema.TaggedError<DatabaseUnsuitable>()("DatabaseUnsuitable", {
  /** In a clause: `its encoding is LATIN1`. */
  problem: Schema.String,
  /** In a sentence. */
  remedy: Schema.String,
  /** Whether another start may find it better without anybody's doing. */
  retryable: Schema.Boolean
}) {
  override get message() {
    return `${this.problem}. ${this.remedy}`
  }
}

/** By SQLSTATE, or the code of the operating system. */
const known: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  ECONNREFUSED: ["no server listens at its address", "Start PostgreSQL, or correct host and port in DATABASE_URL."],
  ENOTFOUND: ["its host name does not resolve", "Correct the host in DATABASE_URL."],
  EAI_AGAIN: ["its host name does not resolve at the moment", "Check the name service of this machine."],
  ETIMEDOUT: ["its server does not answer", "Check host, port and firewall."],
  ERR_INVALID_URL: ["DATABASE_URL is not an address", "Give one as in postgres://user:password@host:5432/database."],
  EACCES: ["the host's user may not write its folder", "Give the folder to that user, or set FAIRLEAD_DATA_DIR."],
  EROFS: ["its folder is on a read-only file system", "Set FAIRLEAD_DATA_DIR to a folder that can be written."],
  ENOSPC: ["its disk is full", "Make room, then start again: what was stored before is there."],
  "28000": ["its server refuses the user", "Correct the user in DATABASE_URL, or allow it in pg_hba.conf."],
  "28P01": ["its server refuses the password", "Correct user and password in DATABASE_URL."],
  "3D000": ["there is no database of that name", "Create it, or correct the name in DATABASE_URL."],
  "08P01": [
    "whatever answers there refuses the settings of the session, as poolers do",
    "Connect to PostgreSQL itself, or to a pooler in session mode that passes startup parameters on."
  ],
  "42501": [
    "the user may not create tables in it",
    "Grant it: GRANT CREATE, USAGE ON SCHEMA … TO …; or run the migrations as another user."
  ],
  "3F000": [
    "its search_path names no schema that exists",
    "Create the schema, or mend it: ALTER ROLE … SET search_path = …."
  ],
  "42P07": [
    "it has tables of another program under names that Fairlead needs",
    "Give Fairlead a database, or a schema first in its search_path, of its own."
  ],
  "25006": [
    "it takes no writes: it is a standby, or read-only by default",
    "Connect to the primary, or mend it: ALTER DATABASE … SET default_transaction_read_only = off."
  ],
  "53300": ["its server has no connection left", "Raise max_connections, or give this host fewer connections."],
  "42704": ["it lacks a type or extension that is needed", "Use PostgreSQL 15 or later, with its standard catalogs."]
}

/** The first cause with a code among those that an executor or migration failed with, or else the last one that has something to say. */
const telling = (error: unknown, depth = 0): unknown => {
  if (depth > 8 || (Predicate.hasProperty(error, "code") && typeof error.code === "string")) return error
  const inner =
    Predicate.hasProperty(error, "reason") && Predicate.hasProperty(error.reason, "cause")
      ? error.reason.cause
      : Predicate.hasProperty(error, "cause")
        ? error.cause
        : undefined
  return typeof inner === "string" || inner instanceof Error ? telling(inner, depth + 1) : error
}

/** The failure as a person can act on it; an unknown one keeps the server's own words. */
export const unsuitable = (error: StorageError): DatabaseUnsuitable => {
  const cause = telling(error)
  const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : ""
  const words = Predicate.hasProperty(cause, "message") ? String(cause.message) : String(cause)
  const [problem, remedy] = known[code] ?? ["it fails at the start", "The log of its server may tell more."]
  return new DatabaseUnsuitable({
    problem: `${problem} (${[words, code].filter(Boolean).join(", ")})`,
    remedy,
    retryable: error.retryable
  })
}
