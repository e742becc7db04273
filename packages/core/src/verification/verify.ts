/** Judges what is stored about one execution. Pure. A new invariant is one more check in its list. */

import type { Check, ExecutionRecords } from "./ExecutionRecords.ts"
import { eventChecks } from "./eventChecks.ts"
import { executionChecks } from "./executionChecks.ts"
import { outputChecks } from "./outputChecks.ts"
import { sagaChecks } from "./sagaChecks.ts"
import type { Violation } from "./Violation.ts"

const checks: ReadonlyArray<Check> = [...executionChecks, ...sagaChecks, ...eventChecks, ...outputChecks]

/** Every violation that the set of records shows; empty when every invariant of one execution holds. */
export const verify = (records: ExecutionRecords): ReadonlyArray<Violation> => checks.flatMap((check) => check(records))
