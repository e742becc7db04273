/** Sagas about something else than an execution: a note that is written and then read aloud, more than once if it must be. */
import { SagaId } from "@fairlead/core/ids/SagaId"
import { once, type SagaDefinition } from "@fairlead/core/sagas/SagaDefinition"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { Context, DateTime, Effect, Option } from "effect"

/** What sagas of notes need of the world of a simulation. */
export interface NotesWorld {
  readonly stores: Context.Context<SagaStore | SagaEngine | Storage>
  readonly note: (what: string) => void
  readonly violate: (what: string) => void
}

export interface Note {
  readonly id: string
  readonly text: "" | "written" | "read"
}

export interface Notes {
  readonly definition: SagaDefinition<Note>
  /** As they were saved last. */
  readonly saved: ReadonlyMap<string, Note>
  /** How often each was read aloud. */
  readonly readings: ReadonlyMap<string, number>
}

export const make = (): Notes => {
  const [saved, readings] = [new Map<string, Note>(), new Map<string, number>()]
  const definition: SagaDefinition<Note> = {
    name: "note",
    version: 1,
    steps: [
      {
        name: "write",
        external: false,
        retry: once,
        run: ({ subject }) => Effect.succeed({ subject: { ...subject, text: "written" } })
      },
      {
        name: "read",
        external: true,
        retry: { maxAttempts: 3, baseDelayMillis: 100, maxDelayMillis: 1_000 },
        run: ({ subject }) =>
          Effect.sync(() => {
            readings.set(subject.id, (readings.get(subject.id) ?? 0) + 1)
            return { subject: { ...subject, text: "read" } }
          })
      }
    ],
    load: ({ subject: { id } }) => Effect.succeedSome(saved.get(id) ?? { id, text: "" }),
    save: (note) => Effect.sync(() => void saved.set(note.id, note)),
    deadline: () => undefined,
    cleanup: () => Effect.void,
    finalize: () => Effect.succeed({})
  }
  return { definition, saved, readings }
}

const sagaIdOf = (n: number) => SagaId.make(`01900000-0000-7000-8000-${`${n}`.padStart(12, "0")}`)

/** Note `n` begins, wherever a host takes it. */
export const launch = Effect.fnUntraced(function* ({ note, stores }: NotesWorld, n: number) {
  const now = yield* DateTime.now
  const change = { sagaName: "note", subject: { kind: "note", id: `${n}` }, correlationId: `note-${n}` }
  const saga = createdSaga(n, { ...change, sagaId: sagaIdOf(n), createdAt: now, updatedAt: now })
  note(`note ${n} begins`)
  const [store, engine] = [Context.get(stores, SagaStore), Context.get(stores, SagaEngine)]
  const begun = Effect.andThen(store.insert(saga), engine.dispatch({ sagaId: saga.sagaId, dispatch: 1 }))
  yield* Effect.orDie(Context.get(stores, Storage).transaction(begun))
})

const sagaOf = ({ stores }: NotesWorld, n: number) =>
  Effect.map(Effect.orDie(Context.get(stores, SagaStore).find(sagaIdOf(n))), Option.getOrUndefined)

/** Whether all notes up to `count` have come to their end. */
export const allRead = (world: NotesWorld, count: number) =>
  Effect.map(
    Effect.forEach(
      Array.from({ length: count }, (_, n) => n),
      (n) => sagaOf(world, n)
    ),
    (sagas) => sagas.every((saga) => saga?.state === "completed")
  )

export const check = Effect.fnUntraced(function* (world: NotesWorld, { readings, saved }: Notes, count: number) {
  for (let n = 0; n < count; n++) {
    const saga = yield* sagaOf(world, n)
    if (saga?.state !== "completed") world.violate(`note ${n} is ${saga?.state ?? "lost"}`)
    if (saved.get(`${n}`)?.text !== "read") world.violate(`note ${n} was not saved as it was left`)
    if ((readings.get(`${n}`) ?? 0) === 0) world.violate(`note ${n} was never read`)
  }
})
