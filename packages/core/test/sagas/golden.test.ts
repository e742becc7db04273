/** Stored saga entries are read for ever. A file is never edited; a changed schema that cannot read one is the mistake. */
import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { Effect, Schema } from "effect"

const folder = new URL("../golden/sagas/", import.meta.url)
const Stored = Schema.toCodecJson(SagaEntry)
const File = Schema.fromJsonString(Schema.NonEmptyArray(Schema.Json))

describe("golden saga entries", () => {
  it.effect.each(readdirSync(folder))("%s decodes and encodes back equal", (file) =>
    Effect.forEach(
      Schema.decodeUnknownSync(File)(readFileSync(new URL(file, folder), "utf8")),
      Effect.fnUntraced(function* (json) {
        const entry = yield* Schema.decodeUnknownEffect(Stored)(json)
        assert.strictEqual(`${entry._tag}.json`, file)
        assert.deepStrictEqual(yield* Schema.encodeUnknownEffect(Stored)(entry), json)
      }),
      { discard: true }
    )
  )
})
