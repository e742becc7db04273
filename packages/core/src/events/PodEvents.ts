/** Facts about the pods in which executions run. Stored for ever: add optional members, never rename or reuse a tag. */
import { Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"

const pod = { executionId: ExecutionId, podName: Schema.String }
const text = Schema.NullOr(Schema.String)

export const PodEvents = [
  Schema.TaggedStruct("PodCreated", { ...pod, namespace: Schema.String }),
  Schema.TaggedStruct("PodScheduled", { ...pod, nodeName: Schema.String }),
  Schema.TaggedStruct("PodRunning", { ...pod, containerStatuses: Schema.String }),
  Schema.TaggedStruct("PodSucceeded", { ...pod, exitCode: Schema.Int, stdout: text, stderr: text }),
  Schema.TaggedStruct("PodFailed", {
    ...pod,
    exitCode: Schema.Int,
    reason: text,
    message: text,
    stdout: text,
    stderr: text
  }),
  Schema.TaggedStruct("PodTerminated", { ...pod, exitCode: Schema.Int, reason: text, message: text }),
  Schema.TaggedStruct("PodDeleted", { ...pod, reason: text })
] as const
