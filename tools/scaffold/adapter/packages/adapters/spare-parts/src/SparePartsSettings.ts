/** How spare parts are reached. The address may hold a password, so it stays `Redacted`. */
import { Config, Context, Duration, Effect, Layer, type Redacted } from "effect"

export class SparePartsSettings extends Context.Service<
  SparePartsSettings,
  {
    readonly url: Redacted.Redacted
    /** How long one call may take. */
    readonly timeout: Duration.Duration
  }
>()("@fairlead/spare-parts/SparePartsSettings") {
  /** `FAIRLEAD_SPARE_PARTS_URL`, and `FAIRLEAD_SPARE_PARTS_TIMEOUT` (5 seconds). */
  static readonly layerConfig = Layer.effect(
    SparePartsSettings,
    Effect.map(
      Config.all({
        url: Config.Redacted("FAIRLEAD_SPARE_PARTS_URL"),
        timeout: Config.Duration("FAIRLEAD_SPARE_PARTS_TIMEOUT").pipe(Config.withDefault(Duration.seconds(5)))
      }),
      SparePartsSettings.of
    )
  )
}
