/** Port: fresh identities and random tokens. Nothing else in core makes randomness. */
import { Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Base64Url } from "effect/encoding"

export class Ids extends Context.Service<
  Ids,
  {
    /** A UUIDv7: unique, and sorted by creation time to the millisecond. */
    readonly uuid: Effect.Effect<string>
    /** `sizeBytes` (1 to 64) bytes from a cryptographic source, as unpadded base64url. */
    token(sizeBytes: number): Effect.Effect<string>
  }
>()("@fairlead/core/ids/Ids") {
  static readonly layer = Layer.effect(
    Ids,
    Effect.map(SecureRandom.SecureRandom, (random) =>
      Ids.of({
        uuid: random.uuidV7(),
        token: (sizeBytes) => Effect.map(random.randomBytes(sizeBytes), Base64Url.encode)
      })
    )
  )

  /** Counts upwards instead of drawing, so that tests can name what they expect. */
  static readonly layerMemory = Layer.sync(Ids, () => {
    let drawn = 0
    const next = () => `${++drawn}`
    return Ids.of({
      uuid: Effect.sync(() => `019a0000-0000-7000-9000-${next().padStart(12, "0")}`),
      token: (sizeBytes) => Effect.sync(() => next().padStart(Math.ceil((sizeBytes * 4) / 3), "t"))
    })
  })
}
