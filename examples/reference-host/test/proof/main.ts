/** The reference host as the proofs start it: the same layers, with ports that can be told to kill it and scripts that know their job. */
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Layer } from "effect"
import { explain } from "../../src/explain.ts"
import * as Host from "../../src/Host.ts"
import { serve } from "../../src/Serve.ts"
import * as Failpoints from "./Failpoints.ts"
import * as provenRuntimes from "./provenRuntimes.ts"

const wanted = process.env["FAIRLEAD_FAILPOINT"]
const failpoints =
  wanted === undefined ? undefined : Failpoints.layer(Failpoints.parse(wanted, process.env["FAIRLEAD_FAILPOINT_ARM"]))

const host: typeof Host.layer = (config, keys) => {
  const ports = provenRuntimes.layer.pipe(Layer.provideMerge(Host.ports(config)))
  const on = failpoints === undefined ? ports : failpoints.pipe(Layer.provideMerge(ports))
  return Host.layer(config, keys, on)
}

NodeRuntime.runMain(serve(host).pipe(Effect.tapCause(explain), Effect.provide(NodeServices.layer)), {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
})
