/** `ExecutionOutputStore` over `execution_output`: rows of at most 256 KiB, keyed by the offset of their first byte. */

import {
  ExecutionOutputStore,
  type OutputChunk,
  type OutputKey,
  outputOffsets
} from "@fairlead/core/executions/ExecutionOutputStore"
import { type OutputName, OutputStream } from "@fairlead/core/runtime/Job"
import type { SagaFence } from "@fairlead/core/sagas/SagaFence"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { storageError } from "./PostgresError.ts"

/** Largest row in bytes. */
const rowBytes = 262_144

const decodeRows = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ byte_offset: Schema.Finite, bytes: Schema.Uint8Array }))
)

const decodeHeads = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      execution_id: Schema.String,
      attempt: Schema.Int,
      stream: Schema.String,
      byte_offset: Schema.Finite,
      bytes: Schema.Uint8Array
    })
  )
)

export const layer = Layer.effect(
  ExecutionOutputStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const wakeups = yield* Wakeups

    /** Reads the last row of a stream by the primary key. */
    const sizeOf = ({ attempt, executionId }: OutputKey, output: OutputStream) => sql`coalesce((
      select byte_offset + length(bytes) from execution_output
      where execution_id = ${executionId} and attempt = ${attempt} and stream = ${output}
      order by byte_offset desc limit 1), 0)::float8`

    /**
     * The saga's row is locked against a rival's claim until the bytes are in: whoever claims it afterwards sees them. One
     * statement: nothing is written unless the fence holds and every stream continues where it stands.
     */
    const insert = (key: OutputKey, { fence, sagaId }: SagaFence, { order, stderr, stdout }: Runs) => sql<
      { readonly fenced: boolean } & Record<OutputStream, number>
    >`with
      holder as (select saga_id from sagas where saga_id = ${sagaId} and fence = ${fence} for share),
      stood as (select ${sizeOf(key, "stdout")} as stdout, ${sizeOf(key, "stderr")} as stderr, ${sizeOf(key, "order")} as "order"),
      runs (stream, starts, bytes) as (values
        ('stdout', ${stdout.from ?? null}::float8, ${stdout.bytes}::bytea),
        ('stderr', ${stderr.from ?? null}::float8, ${stderr.bytes}::bytea),
        ('order', ${order.from ?? null}::float8, ${order.bytes}::bytea)),
      written as (
        insert into execution_output (execution_id, attempt, stream, byte_offset, bytes)
        select ${key.executionId}::uuid, ${key.attempt}::int, runs.stream, runs.starts::bigint + piece,
          substring(runs.bytes from piece + 1 for ${rowBytes})
        from holder, stood, runs, generate_series(0, length(runs.bytes) - 1, ${rowBytes}) piece
        where coalesce(${stdout.from ?? null}::float8, stood.stdout) = stood.stdout
          and coalesce(${stderr.from ?? null}::float8, stood.stderr) = stood.stderr
          and coalesce(${order.from ?? null}::float8, stood."order") = stood."order")
      select not exists (select 1 from holder) as fenced, stdout, stderr, "order" from stood`

    return ExecutionOutputStore.of({
      append: Effect.fnUntraced(function* (key, fence, chunks) {
        const runs: Runs = {
          stdout: yield* runOf(chunks, "stdout"),
          stderr: yield* runOf(chunks, "stderr"),
          order: yield* runOf(chunks, "order")
        }
        const [stood] = yield* insert(key, fence, runs)
        if (stood === undefined || stood.fenced) return false
        for (const output of OutputStream.literals) yield* mustContinue(output, runs[output], stood[output])
        yield* wakeups.send(`output/${key.executionId}`)
        return true
      }, storageError("ExecutionOutputStore.append")),

      read: Effect.fnUntraced(function* ({ attempt, executionId }, output, offset, limit) {
        // From the row that holds `offset`: the last one that begins at or before it. Of each row only what is asked for is sent.
        const rows = yield* decodeRows(
          yield* sql`select greatest(byte_offset, ${offset}::bigint)::float8 as byte_offset,
              substring(bytes from greatest(1, ${offset}::bigint - byte_offset + 1)::int for ${limit}::int) as bytes
            from execution_output
            where execution_id = ${executionId} and attempt = ${attempt} and stream = ${output}
              and byte_offset >= coalesce((select max(byte_offset) from execution_output
                where execution_id = ${executionId} and attempt = ${attempt} and stream = ${output}
                  and byte_offset <= ${offset}), 0)
              and byte_offset < ${offset + limit}
            order by execution_output.byte_offset`
        )
        return slice(rows, offset, limit)
      }, storageError("ExecutionOutputStore.read")),

      heads: Effect.fnUntraced(function* (keys, length) {
        const wanted = JSON.stringify(keys.map(({ attempt, executionId }) => ({ id: executionId, attempt })))
        const rows = yield* decodeHeads(
          yield* sql`select output.execution_id, output.attempt, stream, byte_offset::float8 as byte_offset,
              substring(bytes for ${length}::int - byte_offset::int) as bytes
            from jsonb_to_recordset(${wanted}::text::jsonb) as wanted(id uuid, attempt int)
            join execution_output output on output.execution_id = wanted.id and output.attempt = wanted.attempt
            where byte_offset < ${length} and stream <> 'order' order by byte_offset`
        )
        return keys.map((key) => {
          const own = rows.filter((row) => row.execution_id === key.executionId && row.attempt === key.attempt)
          const head = (output: OutputName) =>
            slice(
              own.filter(({ stream }) => stream === output),
              0,
              length
            )
          return { stdout: head("stdout"), stderr: head("stderr") }
        })
      }, storageError("ExecutionOutputStore.heads")),

      sizes: Effect.fnUntraced(function* (key) {
        const [sizes] = yield* sql<Record<OutputStream, number>>`select ${sizeOf(key, "stdout")} as stdout,
          ${sizeOf(key, "stderr")} as stderr, ${sizeOf(key, "order")} as "order"`
        return outputOffsets(sizes?.stdout ?? 0, sizes?.stderr ?? 0, sizes?.order ?? 0)
      }, storageError("ExecutionOutputStore.sizes"))
    })
  })
)

/** The chunks of one stream joined: where they start (absent when there are none) and their bytes. */
interface Run {
  readonly from: number | undefined
  readonly bytes: Uint8Array
}

type Runs = Readonly<Record<OutputStream, Run>>

const runOf = (chunks: ReadonlyArray<OutputChunk>, output: OutputStream): Effect.Effect<Run> => {
  const own = chunks.filter((chunk) => chunk.output === output)
  const from = own[0]?.offset
  const bytes = new Uint8Array(own.reduce((total, chunk) => total + chunk.bytes.length, 0))
  let filled = 0
  for (const chunk of own) {
    if (chunk.offset !== (from ?? 0) + filled) return Effect.die(`${output} has a chunk at ${chunk.offset} out of line`)
    bytes.set(chunk.bytes, filled)
    filled += chunk.bytes.length
  }
  return Effect.succeed({ from, bytes })
}

const mustContinue = (output: OutputStream, { from }: Run, stood: number) =>
  from === undefined || from === stood ? Effect.void : Effect.die(`${output} stands at ${stood}, not ${from}`)

const slice = (
  rows: ReadonlyArray<{ readonly byte_offset: number; readonly bytes: Uint8Array }>,
  offset: number,
  limit: number
): Uint8Array => {
  const parts = rows.map((row) =>
    row.bytes.subarray(Math.max(0, offset - row.byte_offset), Math.max(0, offset + limit - row.byte_offset))
  )
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let filled = 0
  for (const part of parts) {
    bytes.set(part, filled)
    filled += part.length
  }
  return bytes
}
