/** One execution as it happens: its events and its output in one resumable stream. */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import type { Principal } from "../auth/Principal.ts"
import { WakeupWaiters } from "../bus/WakeupWaiters.ts"
import type { DomainEventTag } from "../events/DomainEvent.ts"
import { EventLog } from "../events/EventLog.ts"
import { ExecutionEvents } from "../events/ExecutionEvents.ts"
import { PodEvents } from "../events/PodEvents.ts"
import { ResultEvents } from "../events/ResultEvents.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { OutputName } from "../runtime/Job.ts"
import { streamOf } from "../storage/Journal.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { AttemptNotFound, ExecutionNotFound } from "./ExecutionError.ts"
import type { ExecutionId } from "./ExecutionId.ts"
import { ExecutionOutputStore } from "./ExecutionOutputStore.ts"
import type { ExecutionResult } from "./ExecutionResult.ts"
import { type ExecutionStatus, isTerminal } from "./ExecutionStatus.ts"
import { Executions } from "./Executions.ts"
import * as Tails from "./internal/executionTails.ts"

/** How far a reader has come: events by version, output by bytes of one attempt. Its text form is the SSE `id`. */
export const FeedPosition = Schema.Struct({
  version: Schema.Int,
  attempt: Schema.Int,
  stdout: Schema.Int,
  stderr: Schema.Int
})
export type FeedPosition = typeof FeedPosition.Type

export type FeedItem =
  /** First item of every stream: where the execution stands now. */
  | { readonly _tag: "Status"; readonly status: ExecutionStatus; readonly position: FeedPosition }
  | { readonly _tag: "Event"; readonly event: StoredEvent; readonly position: FeedPosition }
  | {
      readonly _tag: "Output"
      readonly output: OutputName
      readonly attempt: number
      /** Position of the first byte. */
      readonly offset: number
      readonly bytes: Uint8Array
      readonly position: FeedPosition
    }
  /** Last item: the execution has ended and everything before has been sent. */
  | { readonly _tag: "End"; readonly result: ExecutionResult; readonly position: FeedPosition }

export class ExecutionFeed extends Context.Service<
  ExecutionFeed,
  {
    /**
     * Follows the execution from behind `from` (absent: from the beginning), on any host, until it has ended; then sends `End`
     * and completes. Nothing is missed and nothing sent twice across reconnects. A chunk of output is at most 64 KiB and comes
     * before the event that ends its attempt. Ownership is checked before the stream starts.
     */
    follow(
      caller: Principal,
      id: ExecutionId,
      from: FeedPosition | undefined
    ): Effect.Effect<Stream.Stream<FeedItem, StorageError>, ExecutionNotFound | StorageError>
    /**
     * The bytes of one output stream of that attempt from `offset` on, in chunks of at most 64 KiB, until the attempt has ended. Nothing
     * is missed and nothing sent twice. An attempt that has not begun is waited for.
     */
    followOutput(
      caller: Principal,
      id: ExecutionId,
      from: { readonly output: OutputName; readonly attempt: number; readonly offset: number }
    ): Effect.Effect<Stream.Stream<Uint8Array, StorageError>, ExecutionNotFound | AttemptNotFound | StorageError>
  }
>()("@fairlead/core/executions/ExecutionFeed") {
  static readonly layer = Layer.effect(
    ExecutionFeed,
    Effect.gen(function* () {
      const executions = yield* Executions
      const [log, outputs] = [yield* EventLog, yield* ExecutionOutputStore]
      const tails = yield* Tails.make(yield* WakeupWaiters)

      const follow = Effect.fn("ExecutionFeed.follow")(function* (
        caller: Principal,
        id: ExecutionId,
        from: FeedPosition | undefined
      ) {
        const first = yield* executions.get(caller, id)
        const stream = streamOf(first)
        const reader = readerOf(from ?? beginning)

        /** The events behind `version`, and the output as it stands after that. */
        const look = (shared: Tails.Shared, version: number) =>
          Effect.gen(function* () {
            const execution = yield* executions.get(caller, id)
            const events = yield* log.readStream(stream, { afterVersion: version, limit: pageEvents, tags })
            const after = shared.fresh()
            const read: Read = (attempt, name, offset) =>
              after.get(
                `${attempt}/${name}/${offset}`,
                outputs.read({ executionId: id, attempt }, name, offset, chunkBytes)
              )
            return { execution, events, read }
          })

        /** Everything that is stored by now. The events are read before the output, so output never lags behind the end. */
        const catchUp = Effect.fnUntraced(function* ({ shared }: Tails.Turn) {
          const { version } = reader.position()
          const who = `${caller.userId}/${caller.role}`
          const { events, execution, read } = yield* shared.get(`${who}/${version}`, look(shared, version))
          const last = events.findIndex(({ event }) => endTags.has(event._tag))
          const [before, end] = last === -1 ? [events, []] : [events.slice(0, last), events.slice(last)]
          const complete = isTerminal(execution.status) && events.length < pageEvents
          // Reading on in an attempt that later ones followed would skip what comes behind it in the log.
          const current = events.length < pageEvents ? reader.written(execution.attempt, read) : Stream.empty
          const items = reader
            .toldWithOutput(before, read)
            .pipe(Stream.concat(current), Stream.concat(reader.told(end)))
          return { items, complete, more: events.length === pageEvents }
        })

        const status: FeedItem = { _tag: "Status", status: first.status, position: reader.position() }
        const rest = Effect.gen(function* () {
          const tail = yield* tails.of(id)
          let turn = tail.turn()
          return Stream.paginate(false, (waits) =>
            Effect.gen(function* () {
              if (waits) yield* turn.over
              turn = tail.turn()
              const { complete, items, more } = yield* catchUp(turn)
              return [[items], complete ? Option.none() : Option.some(!more)] as const
            })
          ).pipe(Stream.flatten())
        })
        const end = Effect.map(
          executions.result(caller, id, 0),
          (result): FeedItem => ({ _tag: "End", result, position: reader.position() })
        )
        return Stream.make(status).pipe(
          Stream.concat(Stream.unwrap(rest)),
          Stream.concat(Stream.fromEffect(end)),
          // Deleted while it was followed: there is nothing left to tell.
          Stream.catchTag("ExecutionNotFound", () => Stream.empty)
        )
      })

      const followOutput = Effect.fn("ExecutionFeed.followOutput")(function* (
        caller: Principal,
        id: ExecutionId,
        { attempt, offset: from, output }: { output: OutputName; attempt: number; offset: number }
      ) {
        const range = { output, attempt, limit: chunkBytes }
        const first = yield* executions.output(caller, id, { ...range, offset: from })
        const chunks = Effect.gen(function* () {
          const tail = yield* tails.of(id)
          let turn = tail.turn()
          return Stream.paginate({ offset: from, waits: false }, ({ offset, waits }) =>
            Effect.gen(function* () {
              if (waits) yield* turn.over
              turn = tail.turn()
              const name = `${caller.userId}/${caller.role}/${attempt}/${output}/${offset}`
              const { bytes, ended } = yield* turn.shared.get(name, executions.output(caller, id, { ...range, offset }))
              const state = { offset: offset + bytes.length, waits: bytes.length === 0 }
              return [
                bytes.length === 0 ? [] : [bytes],
                ended && state.waits ? Option.none() : Option.some(state)
              ] as const
            })
          )
        })
        return first.ended && first.bytes.length === 0
          ? Stream.empty
          : // Deleted while it was followed: there is nothing left to read.
            Stream.catchTags(Stream.unwrap(chunks), {
              ExecutionNotFound: () => Stream.empty,
              AttemptNotFound: () => Stream.empty
            })
      })
      return ExecutionFeed.of({ follow, followOutput })
    })
  )
}

/** At most `chunkBytes` of what an attempt has written, from the offset on. */
type Read = (attempt: number, name: OutputName, offset: number) => Effect.Effect<Uint8Array, StorageError>

/** Turns what is stored into items, and remembers how far it came. */
const readerOf = (from: FeedPosition) => {
  let position = from

  const chunk = (name: OutputName, read: Read) =>
    Effect.map(
      read(position.attempt, name, position[name]),
      (bytes): readonly [ReadonlyArray<FeedItem>, Option.Option<undefined>] => {
        if (bytes.length === 0) return [[], Option.none()]
        const [attempt, offset] = [position.attempt, position[name]]
        position = { ...position, [name]: offset + bytes.length }
        const more = bytes.length < chunkBytes ? Option.none() : Option.some(undefined)
        return [[{ _tag: "Output", output: name, attempt, offset, bytes, position }], more]
      }
    )
  const output = (name: OutputName, read: Read) => Stream.paginate(undefined, () => chunk(name, read))
  const enter = (attempt: number) =>
    Effect.sync(() => {
      if (attempt !== position.attempt) position = { ...position, attempt, stdout: 0, stderr: 0 }
    })
  /** What is new in the output of an attempt. */
  const written = (attempt: number, read: Read) =>
    Stream.unwrap(Effect.as(enter(attempt), Stream.concat(output("stdout", read), output("stderr", read))))
  const told = (events: ReadonlyArray<StoredEvent>) =>
    Stream.fromIterable(events).pipe(
      Stream.map((event): FeedItem => {
        position = { ...position, version: event.streamVersion }
        return { _tag: "Event", event, position }
      })
    )
  /** Events, each end of an attempt behind all that the attempt wrote. */
  const toldWithOutput = (events: ReadonlyArray<StoredEvent>, read: Read): Stream.Stream<FeedItem, StorageError> =>
    Stream.fromIterable(events).pipe(
      Stream.flatMap((stored) =>
        stored.event._tag === "ExecutionAttemptFailed"
          ? Stream.concat(written(stored.event.attempt, read), told([stored]))
          : told([stored])
      )
    )

  return { position: () => position, written, told, toldWithOutput }
}

const beginning: FeedPosition = { version: 0, attempt: 0, stdout: 0, stderr: 0 }
/** Most bytes in one item. */
const chunkBytes = 64 * 1024
const pageEvents = 500
const tags: ReadonlyArray<DomainEventTag> = [...ExecutionEvents, ...PodEvents, ...ResultEvents].map(
  (member) => member.fields._tag.schema.literal
)
/** From the first of these on, no output follows. */
const endTags: ReadonlySet<DomainEventTag> = new Set([
  "ExecutionCompleted",
  "ExecutionFailed",
  "ExecutionTimeout",
  "ExecutionCancelled",
  "ResultStored",
  "ResultFailed"
])
