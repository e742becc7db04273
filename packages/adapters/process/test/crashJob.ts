/** The jobs of crash tests. The same number gives the same job in every host. */
import { JobId } from "@fairlead/core/runtime/JobId"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { contractJob } from "@fairlead/testing/fixtures/JobFixtures"

/** Each leaves a line in this file as it starts. It lies outside of what jobs cannot see. */
export const startsFile = (directory: string) => `${directory}.starts`

/** Prints, waits until a file `go` appears, prints again and ends with an exit code that depends on the number. */
export const crashJob = (runtime: ScriptRuntime, directory: string, at: number) => ({
  ...contractJob(runtime, "bash", [
    `echo ${at} >> ${startsFile(directory)}`,
    `echo "before ${at}"`,
    `until [ -e ${goFile(directory)} ]; do sleep 0.05; done`,
    `echo "after ${at}"; exit ${exitCodeOf(at)}`
  ]),
  jobId: JobId.make(`crash-${at}`)
})

export const goFile = (directory: string) => `${directory}.go`

export const exitCodeOf = (at: number) => 10 + at
