/** Stored events are read for ever. A file here is never edited; a changed schema that cannot read one is the mistake. */
import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { ExecutionEvents } from "@fairlead/core/events/ExecutionEvents"
import { PodEvents } from "@fairlead/core/events/PodEvents"
import { QueueEvents } from "@fairlead/core/events/QueueEvents"
import { ResultEvents } from "@fairlead/core/events/ResultEvents"
import { SagaEvents } from "@fairlead/core/events/SagaEvents"
import { StoredEvent } from "@fairlead/core/events/StoredEvent"
import { Effect, Schema } from "effect"

const folder = new URL("../golden/", import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith(".json"))
const Stored = Schema.toCodecJson(StoredEvent)

const goldenOf = (file: string) =>
  Schema.decodeUnknownSync(Schema.fromJsonString(Schema.NonEmptyArray(Schema.Json)))(
    readFileSync(new URL(file, folder), "utf8")
  )

describe("golden events", () => {
  it.effect.each(files)("%s decodes and encodes back equal", (file) =>
    Effect.forEach(
      goldenOf(file),
      Effect.fnUntraced(function* (json) {
        const event = yield* Schema.decodeUnknownEffect(Stored)(json)
        assert.strictEqual(`${event.event._tag}.json`, file)
        assert.deepStrictEqual(yield* Schema.encodeUnknownEffect(Stored)(event), json)
      }),
      { discard: true }
    )
  )

  it("exist for every execution, pod, queue, result and saga event", () => {
    const tags = [...ExecutionEvents, ...PodEvents, ...QueueEvents, ...ResultEvents, ...SagaEvents].map(
      (member) => `${member.fields._tag.schema.literal}.json`
    )
    assert.deepStrictEqual(
      tags.filter((file) => !files.includes(file)),
      []
    )
  })
})
