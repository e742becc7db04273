import { assert, describe, it } from "@effect/vitest"
import { SparePartsSettings } from "@fairlead/spare-parts/SparePartsSettings"
import { ConfigProvider, Duration, Effect, Redacted } from "effect"

const read = (env: Record<string, string>) =>
  Effect.provide(SparePartsSettings, SparePartsSettings.layerConfig).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
  )

describe("SparePartsSettings.layerConfig", () => {
  it.effect("reads the address without showing it, and waits five seconds unless told otherwise", () =>
    Effect.gen(function* () {
      const settings = yield* read({ FAIRLEAD_SPARE_PARTS_URL: "spare-parts://user:hunter2@127.0.0.1" })
      assert.strictEqual(Redacted.value(settings.url), "spare-parts://user:hunter2@127.0.0.1")
      assert.notInclude(`${settings.url} ${JSON.stringify(settings)}`, "hunter2")
      assert.strictEqual(Duration.toMillis(settings.timeout), 5000)
    })
  )

  it.effect("refuses to start without an address", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read({ FAIRLEAD_SPARE_PARTS_TIMEOUT: "1 second" }))
      assert.include(error.message, "FAIRLEAD_SPARE_PARTS_URL")
    })
  )
})
