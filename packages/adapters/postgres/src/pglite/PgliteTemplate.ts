/**
 * A new database made from a template in the package, since `initdb` takes seconds. A template fits one version of PGlite only;
 * without one that fits, `initdb` runs. Made by `tools/template.js`.
 */
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { Effect, Option, Schema } from "effect"

const PackageJson = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

const read = (url: URL) => Effect.tryPromise((signal) => readFile(url, { signal }))

/** Version of the PGlite that this process loads. */
export const pgliteVersion = Effect.suspend(() =>
  read(new URL("../package.json", import.meta.resolve("@electric-sql/pglite")))
).pipe(
  Effect.flatMap((bytes) => Schema.decodeEffect(PackageJson)(new TextDecoder().decode(bytes))),
  Effect.map(({ version }) => version)
)

/** Where the template for a version lies: beside `src` or `dist`, however deep the bundler put this module. */
export const templateUrl = (version: string): Option.Option<URL> =>
  Option.fromUndefinedOr(
    ["../template/", "../../template/", "../../../template/"]
      .map((folder) => new URL(`${folder}pglite-${version}.tar.gz`, import.meta.url))
      .find((url) => existsSync(fileURLToPath(url)))
  )

/** The template for the installed PGlite; none if the package has none that fits. */
export const loadTemplate: Effect.Effect<Option.Option<Blob>> = pgliteVersion.pipe(
  Effect.flatMap((version) => Effect.fromOption(templateUrl(version))),
  Effect.flatMap(read),
  Effect.map((bytes) => new Blob([bytes])),
  Effect.tapError((reason) => Effect.logDebug("No template for a new database", reason)),
  Effect.option
)
