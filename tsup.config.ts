// Builds one package (the current folder): every file of src becomes one file of dist at the same place, so that `import.meta.url` means the
// same in both. Types come from `tsc -p tsconfig.build.json`.
import { cpSync, globSync } from "node:fs"
import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/**/*.ts"],
  outDir: "dist",
  format: "esm",
  target: "node22",
  platform: "node",
  removeNodeProtocol: false,
  clean: true,
  dts: false,
  splitting: false,
  silent: true,
  skipNodeModulesBundle: true,
  esbuildPlugins: [
    {
      name: "file by file",
      setup(build) {
        build.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ kind, path }) =>
          kind === "entry-point" ? undefined : { path: path.replace(/\.ts$/, ".js"), external: true }
        )
      }
    }
  ],
  onSuccess: async () => {
    for (const file of globSync("src/**/*.*", { exclude: ["**/*.ts"] })) cpSync(file, file.replace(/^src/, "dist"))
  }
})
