/** What sagas and streams of events are about: an execution, for example. */
import { Schema } from "effect"
import { ExecutionId } from "./ExecutionId.ts"

export const Subject = Schema.Struct({
  /** In lower case, for example `execution`. */
  kind: Schema.NonEmptyString,
  /** Unique among those of its kind. */
  id: Schema.NonEmptyString
})
export type Subject = typeof Subject.Type

/** The stream that holds everything that happened to the subject. */
export const streamOf = ({ id, kind }: Subject): `${string}/${string}` => `${kind}/${id}`

export const executionSubject = (executionId: ExecutionId): Subject => ({ kind: "execution", id: executionId })

export const executionStream = (executionId: ExecutionId): `${string}/${string}` =>
  streamOf(executionSubject(executionId))

/** `undefined` for a subject of another kind. */
export const executionIdOf = ({ id, kind }: Subject): ExecutionId | undefined =>
  kind === "execution" ? ExecutionId.make(id) : undefined
