/**
 * Takes care of executions in places that no living host serves. What had not begun goes back into the line, unless it is to be
 * cancelled; all else goes to any driver, which finds that what may have begun cannot be reached, and ends the attempt as lost.
 */
import { Effect, Layer, Option, Schema } from "effect"
import { unservedMillis } from "../hosts/Host.ts"
import { HostRegistry } from "../hosts/HostRegistry.ts"
import { executionIdOf } from "../ids/Subject.ts"
import { QueueEntrance } from "../queue/QueueEntrance.ts"
import { Place } from "../runtime/Place.ts"
import type { Saga } from "../sagas/Saga.ts"
import { SagaLanes, type TakenSaga } from "../sagas/SagaLanes.ts"
import { SagaLauncher } from "../sagas/SagaLauncher.ts"
import { Storage } from "../storage/Storage.ts"
import { startStep } from "./ExecutionSaga.ts"

const sweepMillis = 5_000
/** After a silence of the store every host looks deserted: nobody judges before the others had time to beat again. */
const steadyMillis = 15_000
/** Sagas of one place in one sweep. */
const batchSize = 200

/** `goneMillis`: how long a place may be without a host before what it held is given up. */
export const layer = (goneMillis: number) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const [registry, lanes, entrance] = [yield* HostRegistry, yield* SagaLanes, yield* QueueEntrance]
      const [launcher, storage] = [yield* SagaLauncher, yield* Storage]

      const giveUp = Effect.fnUntraced(function* (saga: Saga) {
        const executionId = executionIdOf(saga.subject)
        const taken = yield* lanes.takeAway(saga)
        const isToRun = Option.isSome(taken) && !mayHaveBegun(taken.value) && !isToEnd(taken.value)
        if (isToRun && executionId !== undefined && (yield* entrance.putBack(executionId))) return
        yield* launcher.resume(saga.sagaId, undefined)
      })

      const sweep = Effect.gen(function* () {
        if ((yield* registry.steadyMillis) < steadyMillis) return
        const places = (yield* lanes.occupied).flatMap((lane) => Option.toArray(decodePlace(lane)))
        const seen = yield* registry.seen
        for (const place of places) {
          if ((unservedMillis(seen, place) ?? Infinity) < goneMillis) continue
          const left = yield* lanes.sagasIn(place, batchSize)
          yield* Effect.logWarning("No host serves this place any more; giving up what it held.", {
            place,
            executions: left.length
          })
          yield* Effect.forEach(left, (saga) => storage.transaction(giveUp(saga)), { discard: true })
        }
      }).pipe(
        Effect.catchTag("StorageError", (error) =>
          Effect.logWarning("Could not look for lost executions; trying again.", error)
        )
      )
      yield* Effect.forkScoped(Effect.forever(Effect.delay(sweep, sweepMillis)))
    })
  )

const isToEnd = ({ saga }: TakenSaga) => saga.cancelRequest !== undefined

const mayHaveBegun = ({ progress: { completed, open, state } }: TakenSaga) =>
  state === "compensating" || open?.step === startStep || completed.some(({ step }) => step === startStep)

const decodePlace = Schema.decodeUnknownOption(Place)
