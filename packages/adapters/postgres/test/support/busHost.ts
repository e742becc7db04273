/** A member of a group in a process of its own, for tests that kill it. Argument: the database. Each line is an event in hand. */
import assert from "node:assert"
import { Bus } from "@fairlead/core/bus/Bus"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { Effect, Redacted } from "effect"
import { subscription } from "./busSubscription.ts"

const [url] = process.argv.slice(2)
const tell = (line: string | number) => Effect.sync(() => process.stdout.write(`${line}\n`))

const work = Effect.gen(function* () {
  yield* (yield* Bus).consume(subscription, ({ streamVersion }) =>
    Effect.andThen(tell(streamVersion), streamVersion === 3 ? Effect.never : Effect.void)
  )
  yield* tell("ready")
  return yield* Effect.never
}).pipe(Effect.scoped)

assert(url !== undefined)
await Effect.runPromise(Effect.provide(work, PostgresStorage.layer({ url: Redacted.make(url) })))
