/** Keys that the instance makes for itself and keeps in its data folder, readable by its own user only. */
import { randomBytes } from "node:crypto"
import { Effect, FileSystem, Option, Path, Redacted, Schema } from "effect"

/** A key file is there, but cannot be read or written. */
export class KeyFileUnusable extends Schema.TaggedError<KeyFileUnusable>()("KeyFileUnusable", {
  path: Schema.String,
  cause: Schema.Defect()
}) {}

/**
 * The key in `<dataDir>/keys/<name>`; made of `sizeBytes` random bytes, as base64, if there is none. Two instances that start in
 * the same folder at once get the same key: the file is made exclusively, and the loser reads it.
 */
export const readOrMake = Effect.fn("KeyFiles.readOrMake")(
  function* (dataDir: string, name: string, sizeBytes: number) {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = path.join(dataDir, "keys")
    const file = path.join(folder, name)
    // Users of scripts pass through the data folder to their own directories; everything else in it is closed to them.
    yield* files.makeDirectory(folder, { recursive: true, mode: 0o711 })
    yield* files.chmod(folder, 0o700)
    const made = yield* Effect.option(
      files.writeFileString(file, randomBytes(sizeBytes).toString("base64"), { flag: "wx", mode: 0o600 })
    )
    const key = Redacted.make((yield* files.readFileString(file)).trim(), { label: name })
    return { key, made: Option.isSome(made) }
  },
  (effect, dataDir, name) =>
    Effect.mapError(effect, (cause) => new KeyFileUnusable({ path: `${dataDir}/keys/${name}`, cause }))
)
