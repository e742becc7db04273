#!/usr/bin/env -S node --liftoff-only --disable-warning=ExperimentalWarning
/** The command `fairlead`. */
import "effect/schema/SchemaJITCompiler/enable"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import * as Cli from "./Cli.ts"

NodeRuntime.runMain(Effect.provide(Cli.run, NodeServices.layer), { disableErrorReporting: true })
