/** Judges what is stored about one execution. Pure. A new invariant is one more check in its list. */
import type { Breach } from "./Breach.ts"
import type { Check, Dossier } from "./Dossier.ts"
import { eventChecks } from "./eventChecks.ts"
import { executionChecks } from "./executionChecks.ts"
import { outputChecks } from "./outputChecks.ts"
import { sagaChecks } from "./sagaChecks.ts"

const checks: ReadonlyArray<Check> = [...executionChecks, ...sagaChecks, ...eventChecks, ...outputChecks]

/** Every breach that the dossier shows; empty when every invariant of one execution holds. */
export const verify = (dossier: Dossier): ReadonlyArray<Breach> => checks.flatMap((check) => check(dossier))
