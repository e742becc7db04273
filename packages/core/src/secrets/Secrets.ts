/** Port: encryption of values at rest. What is sealed can be stored, logged or copied without telling anything. */
import { Context, Effect, Layer, type Redacted, Schema } from "effect"

/** A value under envelope encryption: the key's id, a nonce and the cipher text in one printable string. */
export const Sealed = Schema.NonEmptyString.pipe(Schema.brand("Sealed"))
export type Sealed = typeof Sealed.Type

/** The value does not open: wrong key, wrong place, or changed on the way. */
export class SecretUnreadable extends Schema.TaggedError<SecretUnreadable>()("SecretUnreadable", {
  place: Schema.String
}) {}

export class Secrets extends Context.Service<
  Secrets,
  {
    /** Encrypts `value` for one `place`, such as `executions/019a…/env`. Sealing the same value twice gives two texts. */
    seal(place: string, value: Redacted.Redacted): Effect.Effect<Sealed>
    /** Fails also when the text was sealed for another place: a row cannot be given another row's secret. */
    open(place: string, sealed: Sealed): Effect.Effect<Redacted.Redacted, SecretUnreadable>
  }
>()("@fairlead/core/secrets/Secrets") {
  /** Keeps the values in memory; the sealed text is only a number. Sealed texts mean nothing to another instance. */
  static readonly layerMemory = Layer.sync(Secrets, () => {
    const kept = new Map<Sealed, { readonly place: string; readonly value: Redacted.Redacted }>()
    return Secrets.of({
      seal: (place, value) =>
        Effect.sync(() => {
          const sealed = Sealed.make(`memory:${kept.size.toString().padStart(9, "0")}`)
          kept.set(sealed, { place, value })
          return sealed
        }),
      open: Effect.fnUntraced(function* (place, sealed) {
        const found = kept.get(sealed)
        if (found === undefined || found.place !== place) return yield* new SecretUnreadable({ place })
        return found.value
      })
    })
  })
}
