/**
 * `fairlead verify`: proves from what is stored that every invariant holds, or names the rows that break one. Changes no row. An
 * embedded database is opened like an instance opens it, so none may run on it; instances on PostgreSQL may go on.
 */
import { resolve } from "node:path"
import { type Ledger, makeReader } from "@fairlead/core/verification/StartLog"
import { type VerificationCounts, verifyAll } from "@fairlead/core/verification/Verification"
import { Violation } from "@fairlead/core/verification/Violation"
import * as Migrated from "@fairlead/postgres/migrations/Migrated"
import * as PostgresClient from "@fairlead/postgres/PostgresClient"
import * as PostgresIntegrityReader from "@fairlead/postgres/PostgresIntegrityReader"
import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import { Console, Effect, FileSystem, Layer, Option, References, Schema, Stream } from "effect"
import * as HostConfig from "./HostConfig.ts"

/** What is to be verified cannot be read. */
export class NothingToVerify extends Schema.TaggedError<NothingToVerify>()("NothingToVerify", {
  reason: Schema.String
}) {}

/** At least one invariant does not hold; the rows were named already. */
export class InvariantsBroken extends Schema.TaggedError<InvariantsBroken>()("InvariantsBroken", {
  violations: Schema.Int,
  read: Schema.String
}) {}

export interface VerifyOptions {
  /** One JSON value a line: every violation, and at the end the summary. */
  readonly json: boolean
  readonly activeOlderThanSeconds: Option.Option<number>
  readonly ledgerFile: Option.Option<string>
}

/** Most lines of a ledger, because all of them are kept in memory. */
const maxLedgerLines = 2_000_000

export const verify = Effect.fnUntraced(
  function* (options: VerifyOptions) {
    const config = yield* HostConfig.load
    const ledger = Option.isNone(options.ledgerFile) ? undefined : yield* readLedger(options.ledgerFile.value)
    const database = PostgresIntegrityReader.layer.pipe(
      Layer.provideMerge(Layer.effectDiscard(Migrated.check)),
      Layer.provide(yield* client(config))
    )
    const counts = yield* verifyAll({
      activeOlderThanSeconds: Option.getOrUndefined(options.activeOlderThanSeconds),
      ledger,
      report: (violation) => Console.log(options.json ? encodeViolation(violation) : queueOf(violation))
    }).pipe(Effect.provide(database))
    if (options.json) yield* Console.log(JSON.stringify({ summary: counts }))
    if (counts.violations > 0)
      return yield* new InvariantsBroken({ violations: counts.violations, read: sentence(counts) })
    if (!options.json) yield* Console.log(`fairlead verify: ${sentence(counts)}: every invariant holds`)
  },
  Effect.provideService(References.TracerEnabled, false),
  Effect.provideService(References.MinimumLogLevel, "Warn")
)

const client = Effect.fnUntraced(function* ({ DATABASE_URL, FAIRLEAD_DATA_DIR }: HostConfig.HostConfig) {
  if (Option.isSome(DATABASE_URL)) return PostgresClient.layer({ url: DATABASE_URL.value, maxConnections: 3 })
  const directory = resolve(FAIRLEAD_DATA_DIR, "database")
  const files = yield* FileSystem.FileSystem
  // Opening a folder without a database would make one.
  if (!(yield* files.exists(resolve(directory, "PG_VERSION"))))
    return yield* new NothingToVerify({
      reason: `there is no database in ${directory}: set FAIRLEAD_DATA_DIR to the folder of the host, or DATABASE_URL`
    })
  return PgliteClient.layer({ directory })
})

const readLedger = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Ledger, NothingToVerify, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const reader = makeReader()
  const lines = yield* files.stream(path).pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.take(maxLedgerLines + 1),
    Stream.runFold(
      () => 0,
      (count, line) => {
        reader.add(line)
        return count + 1
      }
    ),
    Effect.mapError(() => new NothingToVerify({ reason: `the ledger ${path} cannot be read` }))
  )
  if (lines > maxLedgerLines)
    return yield* new NothingToVerify({ reason: `the ledger ${path} has more than ${maxLedgerLines} lines` })
  return reader.ledger()
})

const encodeViolation = Schema.encodeSync(Schema.fromJsonString(Violation))

/** One line, whatever a row held. */
const queueOf = ({ detail, invariant, row }: Violation) =>
  `${invariant}  ${row}: ${detail}`.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`
  )

const sentence = ({ events, executions, logEntries, outputBytes, sagas }: VerificationCounts) =>
  `${executions} executions, ${sagas} sagas, ${logEntries} log entries, ${events} events, ${outputBytes} bytes of output`
