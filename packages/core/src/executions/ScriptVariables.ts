/** What every script finds in its environment about itself, in whichever runtime it runs. */
import { Context } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"

/** Variables that begin so are ours: requests cannot set them. */
export const reservedPrefix = "FAIRLEAD_"

/** Address at which scripts reach the API: `https://fairlead.example.com`. An instance sets it once, at start-up; absent: not told. */
export const InstanceUrl = Context.Reference<string | undefined>("@fairlead/core/executions/InstanceUrl", {
  defaultValue: () => undefined
})

export const scriptVariables = (about: {
  readonly executionId: ExecutionId
  readonly attempt: number
  /** The machine that runs it. */
  readonly node: string
  readonly instanceUrl: string | undefined
}): Readonly<Record<string, string>> => ({
  FAIRLEAD_EXECUTION_ID: about.executionId,
  FAIRLEAD_ATTEMPT: `${about.attempt}`,
  FAIRLEAD_NODE: about.node,
  ...(about.instanceUrl === undefined ? {} : { FAIRLEAD_URL: about.instanceUrl })
})
