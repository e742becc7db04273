import { assert, describe, it } from "@effect/vitest"
import { JobId } from "@fairlead/core/runtime/JobId"
import { jobLimits } from "@fairlead/testing/fixtures/JobFixtures"
import { Redacted, Schema } from "effect"
import { isExpressible, shimSpec } from "../src/internal/shimSpec.ts"
import { unconfined } from "./fixtures.ts"

const confinement = {
  level: "namespace",
  uids: undefined,
  hostIsRoot: false,
  hidden: ["/data", "/tmp/below", "/var/tmp/below", "/with space"],
  ...unconfined
} as const

const interpreter = {
  language: "lines",
  version: "1.0.0",
  fileExtension: "txt",
  env: () => ({}),
  reservedBytes: 0,
  command: () => ["/bin/lines", "-x"]
}

const job = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) => ({
  jobId: JobId.make("job-1"),
  script: "",
  language: "lines",
  languageVersion: "1.0.0",
  args,
  env: Redacted.make(env),
  limits: jobLimits
})

/** Reads a spec as the shim does. */
const valuesOf = (spec: string, name: string) =>
  spec
    .slice(0, spec.indexOf("\0\0"))
    .split("\0")
    .filter((record) => record.startsWith(`${name}=`))
    .map((record) => record.slice(name.length + 1))

describe("shimSpec", () => {
  it.prop(
    "carries every argument and variable unchanged, or the job is refused",
    [Schema.Array(Schema.String), Schema.Record(Schema.String, Schema.String)],
    ([args, env]) => {
      const spec = job(args, env)
      if (!isExpressible(spec)) return
      const text = shimSpec(confinement, spec, interpreter, "/jobs/job-1")
      assert.deepStrictEqual(valuesOf(text, "argv"), ["/bin/lines", "-x", "script.txt", ...args])
      const variables = valuesOf(text, "env")
      for (const [name, value] of Object.entries(env)) assert.include(variables, `${name}=${value}`)
    }
  )

  it("refuses what neither a command line nor an environment can hold", () => {
    assert.isTrue(isExpressible(job(["", "a=b\n"], { A: "=\n" })))
    assert.isFalse(isExpressible(job(["a\0b"], {})))
    assert.isFalse(isExpressible(job([], { "A=B": "" })))
    assert.isFalse(isExpressible(job([], { "": "" })))
    assert.isFalse(isExpressible(job([], { A: "\0" })))
  })

  it("carries the script behind the records, whatever it holds", () => {
    const script = "a\0\0argv=b\n"
    const text = shimSpec(confinement, { ...job([""], {}), script }, interpreter, "/jobs/job-1")
    assert.strictEqual(text.slice(text.indexOf("\0\0") + 2), script)
  })

  it("hides what is not below /tmp anyway, and nothing without a file system of its own", () => {
    const hiddenAt = (level: "namespace" | "basic") =>
      valuesOf(shimSpec({ ...confinement, level }, job([], {}), interpreter, "/jobs/job-1"), "hidden")
    assert.deepStrictEqual(hiddenAt("namespace"), ["/data", "/with space"])
    assert.deepStrictEqual(hiddenAt("basic"), [])
  })
})
