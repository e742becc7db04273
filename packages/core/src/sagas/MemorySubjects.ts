/** Port of the stores in memory: what sagas are about, kept by areas that this one does not know. */
import { Context, type Effect } from "effect"
import type { Saga } from "./Saga.ts"

export class MemorySubjects extends Context.Service<
  MemorySubjects,
  {
    /** Writes a subject as its saga has moved it. One of a kind that is not kept there is a defect. */
    save(subject: unknown): Effect.Effect<void>
    /** Whether the subject of the saga waits for its turn. */
    waits(saga: Saga): Effect.Effect<boolean>
  }
>()("@fairlead/core/sagas/MemorySubjects") {}
