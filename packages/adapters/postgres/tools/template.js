// Makes `template/pglite-<version>.tar.gz`, the data directory of a new and empty database, for the installed PGlite.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { PGlite } from "@electric-sql/pglite"

const folder = fileURLToPath(new URL("../template/", import.meta.url))
const { version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.resolve("@electric-sql/pglite")), "utf8")
)

const database = await PGlite.create()
const dump = await database.dumpDataDir("gzip")
const bytes = Buffer.from(await dump.arrayBuffer())
await database.close()

mkdirSync(folder, { recursive: true })
for (const name of readdirSync(folder)) rmSync(join(folder, name))
writeFileSync(join(folder, `pglite-${version}.tar.gz`), bytes)
console.log(`template/pglite-${version}.tar.gz: ${bytes.length} bytes`)
