import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { build } from "esbuild"

/** What a browser gets, in bytes after gzip. Fails for anything that is not there in browsers. */
const bundled = async (contents: string) => {
  const { outputFiles } = await build({
    stdin: { contents, loader: "ts", resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false
  })
  const [file] = outputFiles
  return file === undefined ? 0 : gzipSync(file.contents, { level: 9 }).length
}

describe("bytes over the wire", () => {
  it.each([
    [
      "run alone",
      8_000,
      'import { connect, runScript } from "@fairlead/client"; export const go = (o) => runScript(connect(), o)'
    ],
    ["everything", 10_000, 'export * from "@fairlead/client"; export * from "@fairlead/client/operations"']
  ] as const)("%s is at most %i", async (_, most, program) => {
    const bytes = await bundled(program)
    assert.isAbove(bytes, 1_000)
    assert.isAtMost(bytes, most)
  })
})
