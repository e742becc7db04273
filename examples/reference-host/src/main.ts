#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072 node --liftoff-only --max-semi-space-size=8 --heap-growing-percent=30 --no-allocation-site-pretenuring --disable-warning=ExperimentalWarning
/** The command `fairlead`. Ends with 0 also when it is told to stop: draining is what it was asked for. */
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit } from "effect"
import * as Cli from "./Cli.ts"
import { explain } from "./explain.ts"

NodeRuntime.runMain(Cli.run.pipe(Effect.tapCause(explain), Effect.provide(NodeServices.layer)), {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
})
