import { assert, describe, it } from "@effect/vitest"
import { layer, makeNode } from "@fairlead/core/runtime/MemoryScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { suite } from "@fairlead/testing/contracts/ScriptRuntimeContract"
import { Effect, Layer } from "effect"

suite("memory", makeNode(), {
  language: "lines",
  print: (text) => `out ${text}`,
  printError: (text) => `err ${text}`,
  printBytes: (hex) => `hex ${hex}`,
  fill: (bytes) => `fill ${bytes}`,
  printEnv: (name) => `env ${name}`,
  printArgs: "args",
  sleep: (millis) => `sleep ${millis}`,
  later: (millis, text) => `later ${millis} ${text}`,
  exit: (code) => `exit ${code}`,
  hang: "hang",
  stubborn: "stubborn",
  partWith: (text) => `farewell ${text}`
})

describe("MemoryScriptRuntime.layer", () => {
  it.effect("registers itself", () =>
    Effect.gen(function* () {
      const runtimes = yield* ScriptRuntimes
      const chosen = yield* runtimes.choose("lines", "latest")
      assert.strictEqual(chosen.languageVersion, "1.0.0")
    }).pipe(Effect.provide(Layer.provideMerge(layer(), ScriptRuntimes.layer)))
  )
})
