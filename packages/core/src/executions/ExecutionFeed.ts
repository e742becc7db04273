/** One execution as it happens: its events and its output in one resumable stream. */
import { Context, Effect, Layer, Option, type Scope, Stream } from "effect"
import type { Principal } from "../auth/Principal.ts"
import { EventLog } from "../events/EventLog.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { executionStream } from "../ids/Subject.ts"
import type { OutputName } from "../runtime/Job.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { WakeupWaiters } from "../wakeups/WakeupWaiters.ts"
import type { Execution } from "./Execution.ts"
import type { AttemptNotFound, ExecutionNotFound } from "./ExecutionError.ts"
import { ExecutionOutputStore } from "./ExecutionOutputStore.ts"
import { Executions } from "./Executions.ts"
import type { FeedItem, FeedPage, FeedPosition } from "./FeedPage.ts"
import { formatPosition } from "./feedPositionText.ts"
import * as Tails from "./internal/executionTails.ts"
import { chunkBytes, pageEvents, pageOf, type ReadOutput, tags } from "./internal/feedPage.ts"

/** Reads a feed without a fiber of its own. */
export interface FeedReader {
  /** What a follower is told first. */
  readonly status: FeedItem
  /**
   * The next page if it is known, otherwise `undefined`, at once: it is read meanwhile. All who read on from one place on behalf of
   * one user get the same object. After a page with `more: "never"` nothing is to be read.
   */
  readonly poll: Effect.Effect<FeedPage | undefined, StorageError>
  /** Calls `wake` once when `poll` may tell more than it did, maybe now. A function that waits already goes on waiting. */
  onMore(wake: () => void): void
}

export class ExecutionFeed extends Context.Service<
  ExecutionFeed,
  {
    /**
     * Follows the execution from behind `from` (absent: from the beginning), on any instance, until it has ended; then sends `End`
     * and completes. Nothing is missed and nothing sent twice across reconnects. A chunk of output is at most 64 KiB and comes
     * before the event that ends its attempt. Ownership is checked before the stream starts.
     */
    follow(
      caller: Principal,
      id: ExecutionId,
      from: FeedPosition | undefined
    ): Effect.Effect<Stream.Stream<FeedItem, StorageError>, ExecutionNotFound | StorageError>
    /** The same page by page, for many followers; read until the scope closes. */
    open(
      caller: Principal,
      id: ExecutionId,
      from: FeedPosition | undefined
    ): Effect.Effect<FeedReader, ExecutionNotFound | StorageError, Scope.Scope>
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

      /** What is stored behind the position. The events are read before the output, so output never lags behind the end. */
      const pageBehind = Effect.fnUntraced(
        function* (caller: Principal, executionId: ExecutionId, stream: string, from: FeedPosition) {
          const execution = yield* executions.get(caller, executionId)
          const events = yield* log.readStream(stream, { afterVersion: from.version, limit: pageEvents, tags })
          const read: ReadOutput<StorageError> = (attempt, name, offset) =>
            outputs.read({ executionId, attempt }, name, offset, chunkBytes)
          const page = yield* pageOf(from, execution, events, read)
          if (page.more !== "never") return page
          const result = yield* executions.result(caller, executionId, 0)
          const end: FeedItem = { _tag: "End", result, position: page.position }
          return { ...page, items: [...page.items, end] }
        },
        // Deleted while it was followed: there is nothing left to tell.
        (page, _caller, _id, _stream, position) =>
          Effect.catchTag(page, "ExecutionNotFound", () =>
            Effect.succeed<FeedPage>({ items: [], position, more: "never" })
          )
      )

      /** Holds nothing of the execution: there may be thousands of readers. */
      const readerOf = (caller: Principal, id: ExecutionId, stream: string, tail: Tails.Tail, status: FeedItem) => {
        let position = status.position
        let turn = tail.turn()
        let asked: Tails.Answer<FeedPage, StorageError> | undefined
        let isUpToDate = false

        const ask = Effect.suspend(() => {
          if (asked !== undefined) return Effect.succeed(asked)
          if (isUpToDate && turn === tail.turn()) return Effect.undefined
          turn = tail.turn()
          const name = `${caller.userId}/${caller.role}/${formatPosition(position)}`
          return turn.shared.ask(name, pageBehind(caller, id, stream, position))
        })
        const poll = Effect.flatMap(ask, (answer) => {
          asked = answer
          const exit = answer?.exit()
          if (exit === undefined) return Effect.undefined
          asked = undefined
          return Effect.map(exit, (page) => {
            position = page.position
            isUpToDate = page.more === "later"
            return page
          })
        })
        const onMore = (wake: () => void) => (asked === undefined ? turn.onOver(wake) : asked.onExit(wake))
        const reader: FeedReader = { status, poll, onMore }
        return reader
      }

      const open = Effect.fn("ExecutionFeed.open")(function* (
        caller: Principal,
        id: ExecutionId,
        from: FeedPosition = beginning
      ) {
        const first = yield* executions.get(caller, id)
        return readerOf(caller, id, executionStream(id), yield* tails.of(id), statusOf(first, from))
      })

      const follow = Effect.fn("ExecutionFeed.follow")(function* (
        caller: Principal,
        id: ExecutionId,
        from: FeedPosition = beginning
      ) {
        const first = yield* executions.get(caller, id)
        const status = statusOf(first, from)
        const items = Effect.map(tails.of(id), (tail) =>
          itemsOf(readerOf(caller, id, executionStream(id), tail, status))
        )
        return Stream.unwrap(items)
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
      return ExecutionFeed.of({ follow, open, followOutput })
    })
  )
}

const statusOf = ({ status }: Execution, position: FeedPosition): FeedItem => ({ _tag: "Status", status, position })

const itemsOf = ({ onMore, poll, status }: FeedReader): Stream.Stream<FeedItem, StorageError> => {
  const more = Effect.callback<void>((resume) => onMore(() => resume(Effect.void)))
  const pages = Stream.paginate(undefined, () =>
    Effect.flatMap(poll, (page) => {
      if (page === undefined) return Effect.as(more, [[], Option.some(undefined)] as const)
      return Effect.succeed([page.items, page.more === "never" ? Option.none() : Option.some(undefined)] as const)
    })
  )
  return Stream.concat(Stream.make(status), pages)
}

const beginning: FeedPosition = { version: 0, attempt: 0, stdout: 0, stderr: 0 }
