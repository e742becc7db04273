import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { DomainEvent } from "@fairlead/core/events/DomainEvent"
import { NewEvent } from "@fairlead/core/events/StoredEvent"
import { eventTypeOf, tagOf, WireEvent } from "@fairlead/http/api/events/WireEvent"
import { Effect, Equal, Schema, Struct } from "effect"

const golden = new URL("../../../core/test/golden/", import.meta.url)
const Stored = Schema.fromJsonString(Schema.Array(Schema.toCodecJson(NewEvent)))
const events = readdirSync(golden)
  .filter((file) => file.endsWith(".json"))
  .flatMap((file) => Schema.decodeSync(Stored)(readFileSync(new URL(file, golden), "utf8")))
const codec = Schema.fromJsonString(WireEvent)

describe("events on the wire", () => {
  it.effect("come back as what was sent", () =>
    Effect.forEach(
      events,
      Effect.fnUntraced(function* (event) {
        const text = yield* Schema.encodeEffect(codec)(event)
        assert.notInclude(text, "_tag")
        assert.isEmpty(text.match(/"[a-z]+[A-Z]\w*":/g) ?? [])
        assert.isTrue(Equal.equals(yield* Schema.decodeEffect(codec)(text), event), text)
      }),
      { discard: true }
    )
  )

  it("have names that lead back to their tags", () => {
    for (const { fields } of DomainEvent.members) {
      const tag = fields._tag.schema.literal
      assert.strictEqual(tagOf(eventTypeOf(tag)), tag)
    }
    assert.isUndefined(tagOf("ExecutionCompleted"))
  })

  it("have no field that the envelope would hide", () => {
    const envelope = [
      "eventId",
      "eventType",
      "eventVersion",
      "timestamp",
      "aggregateId",
      "correlationId",
      "metadata",
      "payload"
    ]
    for (const { fields } of DomainEvent.members)
      assert.deepStrictEqual(
        Object.keys(Struct.omit(fields, ["_tag"])).filter((name) => envelope.includes(name)),
        []
      )
  })
})
