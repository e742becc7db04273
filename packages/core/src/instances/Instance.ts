/** A running server process, as it makes itself known to the others that share its database. */
import { Schema } from "effect"
import { InstanceId } from "../ids/InstanceId.ts"
import { RuntimeKind } from "../runtime/Job.ts"
import { NodeId } from "../runtime/NodeId.ts"

/** A node that an instance serves. Instances on one machine may serve the same. */
export const ServedNode = Schema.Struct({
  nodeId: NodeId,
  runtime: RuntimeKind,
  /** Scripts that may run there at once. */
  capacity: Schema.Int
})
export type ServedNode = typeof ServedNode.Type

export class Instance extends Schema.Class<Instance>("Instance")({
  instanceId: InstanceId,
  /** For people; unique only if the operator takes care of it. */
  name: Schema.NonEmptyString,
  version: Schema.String,
  startedAt: Schema.DateTimeUtcFromString,
  /** It has stopped, or is about to: it takes no more work. */
  draining: Schema.Boolean,
  nodes: Schema.Array(ServedNode)
}) {}

/** An instance and how long it has been silent, by the clock of the store. */
export interface InstanceStatus {
  readonly instance: Instance
  readonly sinceHeartbeatMillis: number
}

/** Two heartbeats may be lost, and one may come late. */
export const aliveMillis = 10_000

export const isAlive = ({ instance, sinceHeartbeatMillis }: InstanceStatus): boolean =>
  !instance.draining && sinceHeartbeatMillis < aliveMillis

/** Nodes that living instances serve, each once. */
export const servedNodes = (instances: ReadonlyArray<InstanceStatus>): ReadonlyMap<NodeId, ServedNode> =>
  new Map(
    instances
      .filter(isAlive)
      .flatMap(({ instance }) => instance.nodes.map((served) => [served.nodeId, served] as const))
  )

/** How long nobody has served the node; 0 while somebody does, `undefined` if nobody ever did that is still on record. */
export const unservedMillis = (instances: ReadonlyArray<InstanceStatus>, nodeId: NodeId): number | undefined => {
  const serving = instances.filter(({ instance }) => instance.nodes.some((served) => served.nodeId === nodeId))
  if (serving.length === 0) return undefined
  return serving.some(isAlive) ? 0 : Math.min(...serving.map(({ sinceHeartbeatMillis }) => sinceHeartbeatMillis))
}
