/** Rows of a page of records, grouped by execution. Models are decoded one by one: one that cannot be is named, and the rest goes on. */
import { NewEvent, type StoredEvent } from "@fairlead/core/events/StoredEvent"
import { Execution } from "@fairlead/core/executions/Execution"
import { Saga } from "@fairlead/core/sagas/Saga"
import { type LoggedEntry, SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import type {
  ExecutionRecords,
  OutputExtent,
  RecordTable,
  SagaFile,
  UnreadableRow
} from "@fairlead/core/verification/ExecutionRecords"
import { Array as Arrays, type Effect, Result, Schema } from "effect"
import { jsonText } from "./jsonText.ts"

const rows = <F extends Schema.Struct.Fields>(fields: F) =>
  Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ execution_id: Schema.String, ...fields })))

export const decodeExecutions = rows({ model: Schema.String })
export const decodeSagas = rows({ saga_id: Schema.String, model: Schema.String })
export const decodeEntries = rows({
  saga_id: Schema.String,
  seq: Schema.Int,
  fence: Schema.Int,
  at: Schema.DateTimeUtcFromDate,
  model: Schema.String
})
export const decodeEvents = rows({ stream: Schema.String, stream_version: Schema.Int, model: Schema.String })
export const decodeExtents = rows({
  attempt: Schema.Int,
  stream: Schema.String,
  starts: Schema.Finite,
  bytes: Schema.Finite
})
export const decodeKeys = rows({ owner_id: Schema.String, key: Schema.String })

type RowsOf<D extends (...args: never) => Effect.Effect<unknown, unknown>> = Effect.Success<ReturnType<D>>

/** Everything that was read for one page, each list in the order of its records. */
export interface PageRows {
  readonly executions: RowsOf<typeof decodeExecutions>
  readonly sagas: RowsOf<typeof decodeSagas>
  readonly entries: RowsOf<typeof decodeEntries>
  readonly events: RowsOf<typeof decodeEvents>
  readonly extents: RowsOf<typeof decodeExtents>
  readonly keys: RowsOf<typeof decodeKeys>
}

export const toRecords = (page: PageRows): ReadonlyArray<ExecutionRecords> => {
  const [sagas, entries, events] = [grouped(page.sagas), grouped(page.entries), grouped(page.events)]
  const [extents, keys] = [grouped(page.extents), grouped(page.keys)]
  return page.executions.map(({ execution_id: executionId, model }) => {
    const unreadable: Array<UnreadableRow> = []
    const read = <A>(
      part: RecordTable,
      key: string,
      decoded: Result.Result<A, Schema.SchemaError>
    ): ReadonlyArray<A> => {
      if (Result.isSuccess(decoded)) return [decoded.success]
      unreadable.push({ part, key, problem: problemOf(decoded.failure) })
      return []
    }
    const logs = Arrays.groupBy(entries(executionId), ({ saga_id }) => saga_id)
    const [execution] = read("executions", executionId, executionFrom(model))
    return {
      executionId,
      execution,
      sagas: sagas(executionId).flatMap((row) =>
        read("sagas", row.saga_id, sagaFrom(row.model)).map(
          (saga): SagaFile => ({
            saga,
            log: (logs[row.saga_id] ?? []).flatMap(({ at, fence, model, seq }) =>
              read("saga_log", `${row.saga_id}/${seq}`, entryFrom(model)).map(
                (entry): LoggedEntry => ({ seq, fence, at, entry })
              )
            )
          })
        )
      ),
      events: events(executionId).flatMap(({ model, stream, stream_version: streamVersion }) =>
        read("events", `${stream}/${streamVersion}`, eventFrom(model)).map(
          (event): StoredEvent => ({ ...event, stream, streamVersion })
        )
      ),
      extents: extents(executionId).map(
        ({ attempt, bytes, starts, stream }): OutputExtent => ({
          attempt,
          output: stream,
          offset: starts,
          length: bytes
        })
      ),
      keys: keys(executionId).map(({ key, owner_id: ownerId }) => ({ ownerId, key })),
      unreadable
    }
  })
}

const executionFrom = Schema.decodeUnknownResult(jsonText(Execution))
const sagaFrom = Schema.decodeUnknownResult(jsonText(Saga))
const entryFrom = Schema.decodeUnknownResult(jsonText(SagaEntry))
const eventFrom = Schema.decodeUnknownResult(jsonText(NewEvent))

/** One short line; what is wrong comes first, what was expected may be long. */
const problemOf = ({ message }: Schema.SchemaError) => {
  const line = message.replace(/\s+/g, " ")
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

const grouped = <R extends { readonly execution_id: string }>(list: ReadonlyArray<R>) => {
  const groups = Arrays.groupBy(list, ({ execution_id }) => execution_id)
  return (executionId: string): ReadonlyArray<R> => groups[executionId] ?? []
}
