/** A host in a process of its own, so that it can be another user: runs the scripts it is given one after the other, and prints how each ended. */
import { argv } from "node:process"
import { make, type ProcessRuntimeOptions } from "@fairlead/process/ProcessRuntime"
import { contractJob, observeAll, readable } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect, Redacted } from "effect"

export interface Errand {
  readonly options: ProcessRuntimeOptions
  readonly language: string
  readonly env: Readonly<Record<string, string>>
  readonly scripts: ReadonlyArray<ReadonlyArray<string>>
}

const { env, language, options, scripts }: Errand = JSON.parse(argv[2] ?? "")
const limits = { memoryBytes: 96 * 1024 ** 2, fileSizeBytes: 1024 ** 3, timeoutMillis: 20_000 }

const ends = await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const runtime = yield* make({ ...options, languages: [language], interpreterPath: "/usr/bin:/bin" })
      return yield* Effect.forEach(scripts, (lines) =>
        Effect.gen(function* () {
          const spec = { ...contractJob(runtime, language, lines, limits), env: Redacted.make(env) }
          return readable(yield* observeAll(runtime, yield* runtime.start(spec)))
        })
      )
    })
  )
)
process.stdout.write(`\n${JSON.stringify(ends)}\n`)
