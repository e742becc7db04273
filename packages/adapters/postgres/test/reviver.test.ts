import { assert, describe, it } from "@effect/vitest"
import { Execution } from "@fairlead/core/executions/Execution"
import { ResourceUsage } from "@fairlead/core/runtime/ResourceUsage"
import { Effect, Exit, Schema } from "effect"
import { jsonText } from "../src/internal/jsonText.ts"
import { reviver } from "../src/internal/reviver.ts"

const revive = reviver(Execution, [ResourceUsage])
const [encode, decode] = [Schema.encodeSync(jsonText(Execution)), Schema.decodeSync(jsonText(Execution))]

/** As an early version wrote it; rows live longer than versions. */
const golden = {
  executionId: "019a0000-0000-7000-8000-000000000001",
  ownerId: "019a0000-0000-7000-8000-000000000002",
  script: "print('\ue000e000')",
  lang: "python",
  langVersion: "3",
  resolvedVersion: "3.11",
  runtime: "process",
  args: ["a", "b"],
  sealedEnv: "1:nonce:text",
  limits: {
    timeoutMillis: 300_000,
    memoryBytes: 268_435_456,
    cpuMillicores: 1000,
    processes: 64,
    diskBytes: 1_073_741_824,
    fileSizeBytes: 268_435_456,
    openFiles: 256,
    outputBytes: 1_048_576
  },
  priority: 5,
  status: "completed",
  attempt: 2,
  earlierAttempts: [
    {
      attempt: 1,
      status: "failed",
      finishedAt: "2026-01-01T00:00:01.000Z",
      outcome: { exitCode: 1, errorType: "script_error", stdoutBytes: 0, stderrBytes: 3, truncated: false }
    }
  ],
  name: "nightly import",
  labels: { team: "billing" },
  correlationId: "request-1",
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:03.000Z",
  startedAt: "2026-01-01T00:00:02.000Z",
  finishedAt: "2026-01-01T00:00:03.000Z",
  outcome: {
    exitCode: 0,
    resourceUsage: { executionTimeWallSeconds: 0.5, cpuTimeJiffies: 4, clkTckHertz: 100, peakMemoryKb: 9000 },
    stdoutBytes: 6,
    stderrBytes: 0,
    truncated: false
  },
  aMemberOfTheFuture: { nobody: "knows" }
}

describe("a row that is revived", () => {
  it.effect.prop("is what the schema reads, whatever was stored", [Execution], ([execution]) =>
    Effect.gen(function* () {
      const text = encode(execution)
      assert.deepStrictEqual(yield* revive(text), decode(text))
    })
  )

  it.effect("is what the schema reads of a golden row, without what no schema names", () =>
    Effect.gen(function* () {
      const text = JSON.stringify(golden)
      const revived = yield* revive(text)
      assert.deepStrictEqual(revived, decode(text))
      assert.instanceOf(revived.outcome?.resourceUsage, ResourceUsage)
      assert.notProperty(revived, "aMemberOfTheFuture")
    })
  )

  it.effect("has what the schema adds to a row that lacks it", () =>
    Effect.gen(function* () {
      const { diskBytes: _, ...limits } = golden.limits
      const text = JSON.stringify({ ...golden, limits })
      assert.deepStrictEqual(yield* revive(text), decode(text))
    })
  )

  it.effect("takes finer rules as kept: that is what it saves", () =>
    Effect.map(revive(JSON.stringify({ ...golden, lang: "" })), ({ lang }) => assert.strictEqual(lang, ""))
  )

  it.effect.each([
    ["a member is missing", JSON.stringify({ ...golden, lang: undefined })],
    ["a member is of another kind", JSON.stringify({ ...golden, attempt: "2" })],
    ["a word is unknown", JSON.stringify({ ...golden, status: "paused" })],
    ["a moment is none", JSON.stringify({ ...golden, createdAt: "soon" })],
    ["it is no JSON", "{"]
  ] as const)("is left to the schema, which says what is wrong, when %s", ([_, text]) =>
    Effect.gen(function* () {
      const [revived, decoded] = [
        yield* Effect.exit(revive(text)),
        yield* Effect.exit(Schema.decodeEffect(jsonText(Execution))(text))
      ]
      assert.isTrue(Exit.isFailure(revived))
      assert.deepStrictEqual(`${revived}`, `${decoded}`)
    })
  )
})
