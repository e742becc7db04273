/** How urgent an execution is among those of its owner. */
import { Schema } from "effect"

/** 0 runs first, 10 last; the named levels are critical 0, high 1, normal 5, low 8, background 10. */
export const Priority = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10 }))
