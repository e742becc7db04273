/** Everything that is stored about one execution, read at one moment. */
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { Execution } from "../executions/Execution.ts"
import type { Saga } from "../sagas/Saga.ts"
import type { LoggedEntry } from "../sagas/SagaEntry.ts"
import type { Violation } from "./Violation.ts"

export interface SagaFile {
  readonly saga: Saga
  /** In the order of `seq`. */
  readonly log: ReadonlyArray<LoggedEntry>
}

/** Bytes of one output stream that lie side by side. Sound output is one extent a stream. */
export interface OutputExtent {
  readonly attempt: number
  /** `stdout` or `stderr`, if all is well. */
  readonly output: string
  readonly offset: number
  readonly length: number
}

/** The tables whose rows hold a model. */
export type RecordTable = "executions" | "sagas" | "saga_log" | "events"

/** A row whose model does not decode. It is missing in its part of the set of records. */
export interface UnreadableRow {
  readonly part: RecordTable
  /** Key of the row in its table. */
  readonly key: string
  readonly problem: string
}

export interface ExecutionRecords {
  /** As the row is keyed: a UUID, if all is well one of version 7. */
  readonly executionId: string
  /** Absent when the row does not decode. */
  readonly execution: Execution | undefined
  /** Oldest first. */
  readonly sagas: ReadonlyArray<SagaFile>
  /** The execution's stream in the order of versions. */
  readonly events: ReadonlyArray<StoredEvent>
  /** By attempt, stream and offset. */
  readonly extents: ReadonlyArray<OutputExtent>
  /** Idempotency keys that lead to the execution, with their owners. */
  readonly keys: ReadonlyArray<{ readonly ownerId: string; readonly key: string }>
  readonly unreadable: ReadonlyArray<UnreadableRow>
}

/** A pure judgement about one execution: a violation for each thing that is wrong, none when all is well. */
export type Check = (records: ExecutionRecords) => ReadonlyArray<Violation>

/** True when every row of these parts decoded. What is told by several rows together is judged only then. */
export const isWhole = ({ unreadable }: ExecutionRecords, ...parts: ReadonlyArray<RecordTable>): boolean =>
  !unreadable.some(({ part }) => parts.includes(part))
