/** Gets or creates a job of this machine. */
import { join } from "node:path"
import type { JobHandle, JobSpec } from "@fairlead/core/runtime/Job"
import type { JobId } from "@fairlead/core/runtime/JobId"
import { JobRemoved } from "@fairlead/core/runtime/RuntimeError"
import { Clock, Effect } from "effect"
import type { GoLibraries } from "./goLibraries.ts"
import { bury, isRemoved } from "./housekeeping.ts"
import { type JobDirectories, prepare, type Spare, stateOf } from "./jobDirectory.ts"
import type { Interpreter } from "./languages.ts"
import type { Launcher } from "./launcher.ts"
import { failingIn, heldUp, refused, staleMillis } from "./runtimeErrors.ts"
import { type Confinement, isExpressible } from "./shimSpec.ts"
import type { SpareShim } from "./spareShim.ts"

/** What a start needs of the machine. */
export interface StartingMachine {
  readonly directories: JobDirectories
  readonly bootId: string
  readonly node: string
  readonly confinement: Confinement
  readonly launcher: Launcher
  readonly spare: SpareShim
  readonly interpreters: ReadonlyArray<Interpreter>
  readonly goLibraries: GoLibraries
}

export const handleOf = (jobId: JobId, node: string): JobHandle => ({ runtime: "process", jobId, node })

/** See `ScriptRuntime.start`. */
export const startIn = ({
  bootId,
  confinement,
  goLibraries,
  interpreters,
  launcher,
  node,
  directories,
  spare
}: StartingMachine) => {
  const startNew = Effect.fnUntraced(function* (spec: JobSpec, interpreter: Interpreter, taken?: Spare) {
    const { jobId } = spec
    const begunMillis = yield* Clock.currentTimeMillis
    const directory = join(directories.jobs, jobId)
    const allowed = Effect.map(isRemoved(directories, jobId), (removed) => !removed)
    const preparation = { allowed, spare: taken }
    const isNew = yield* prepare(directories, directory, confinement, spec, interpreter, preparation)
    // Again, because a removal may have made room for the directory in the meantime.
    if (yield* isRemoved(directories, jobId)) {
      yield* bury(directories, launcher, jobId)
      return yield* new JobRemoved({ jobId })
    }
    if (!isNew && (yield* stateOf(directory, bootId))._tag !== "Prepared") return handleOf(jobId, node)
    // A host that was frozen in between may have lost the execution to another: it has to ask again before it begins anything.
    if ((yield* Clock.currentTimeMillis) - begunMillis > staleMillis) return yield* heldUp()
    yield* launcher.keep(directory)
    return handleOf(jobId, node)
  })
  return Effect.fn("ProcessRuntime.start")(
    function* (spec: JobSpec) {
      const { language, languageVersion } = spec
      const interpreter = interpreters.find((each) => each.language === language && each.version === languageVersion)
      if (interpreter === undefined) return yield* refused("start", `there is no ${language} ${languageVersion} here`)
      if (!isExpressible(spec)) return yield* refused("start", "arguments and environment cannot hold NUL")
      const equipped = yield* goLibraries.use(interpreter)
      return yield* spare.use((taken) => startNew(spec, equipped, taken))
    },
    Effect.catchTag("FileFailure", failingIn("start"))
  )
}
