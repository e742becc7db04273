/** Where jobs live: one runtime on one node. Instances come and go; the jobs of a node can be reached by every instance that serves it. */
import { Schema } from "effect"
import type { ScriptRuntime } from "./ScriptRuntime.ts"

/** `kind/node`, for example `process/machine-1`; at most 200 characters. */
export const NodeId = Schema.String.check(Schema.isPattern(/^[a-z]+\/[^\s]{1,180}$/)).pipe(Schema.brand("NodeId"))
export type NodeId = typeof NodeId.Type

export const nodeIdOf = ({ kind, node }: Pick<ScriptRuntime, "kind" | "node">): NodeId => NodeId.make(`${kind}/${node}`)

/** The node of a node. */
export const nodeOf = (nodeId: NodeId | undefined): string =>
  nodeId?.slice(nodeId.indexOf("/") + 1) ?? "an unknown node"

/** What a script needs of a node, and what a node offers: `kind/language/version`. */
export const requirementOf = (runtime: string, language: string, version: string): string =>
  `${runtime}/${language}/${version}`
