/**
 * Takes care of executions in nodes that no living instance serves. What had not begun goes back into the queue, unless it is to be
 * cancelled; all else goes to any executor, which finds that what may have begun cannot be reached, and ends the attempt as lost.
 */
import { Effect, Layer, Option, Schema } from "effect"
import { executionIdOf } from "../ids/Subject.ts"
import { unservedMillis } from "../instances/Instance.ts"
import { InstanceRegistry } from "../instances/InstanceRegistry.ts"
import { Enqueuer } from "../queue/Enqueuer.ts"
import { NodeId } from "../runtime/NodeId.ts"
import type { Saga } from "../sagas/Saga.ts"
import { SagaLauncher } from "../sagas/SagaLauncher.ts"
import { SagaNodes, type TakenSaga } from "../sagas/SagaNodes.ts"
import { Storage } from "../storage/Storage.ts"
import { startStep } from "./stepOutputs.ts"

const sweepMillis = 5_000
/** After a silence of the store every instance looks deserted: nobody judges before the others had time to heartbeat again. */
const steadyMillis = 15_000
/** Sagas of one place in one sweep. */
const batchSize = 200

/** `nodeTimeoutMillis`: how long a node may be without an instance before what it held is given up. */
export const layer = (nodeTimeoutMillis: number) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const [registry, nodes, enqueuer] = [yield* InstanceRegistry, yield* SagaNodes, yield* Enqueuer]
      const [launcher, storage] = [yield* SagaLauncher, yield* Storage]

      const giveUp = Effect.fnUntraced(function* (saga: Saga) {
        const executionId = executionIdOf(saga.subject)
        const taken = yield* nodes.takeAway(saga)
        const isToRun = Option.isSome(taken) && !mayHaveBegun(taken.value) && !isToEnd(taken.value)
        if (isToRun && executionId !== undefined && (yield* enqueuer.unassign(executionId))) return
        yield* launcher.resume(saga.sagaId, undefined)
      })

      const sweep = Effect.gen(function* () {
        if ((yield* registry.steadyMillis) < steadyMillis) return
        const occupied = (yield* nodes.occupied).flatMap((node) => Option.toArray(decodeNodeId(node)))
        const seen = yield* registry.seen
        for (const nodeId of occupied) {
          if ((unservedMillis(seen, nodeId) ?? Infinity) < nodeTimeoutMillis) continue
          const left = yield* nodes.sagasOn(nodeId, batchSize)
          yield* Effect.logWarning("No live instance serves the node; marking its executions lost.", {
            nodeId,
            executions: left.length
          })
          yield* Effect.forEach(left, (saga) => storage.transaction(giveUp(saga)), { discard: true })
        }
      }).pipe(
        Effect.catchTag("StorageError", (error) =>
          Effect.logWarning("Could not check for lost executions; retrying.", error)
        )
      )
      yield* Effect.forkScoped(Effect.forever(Effect.delay(sweep, sweepMillis)))
    })
  )

const isToEnd = ({ saga }: TakenSaga) => saga.cancelRequest !== undefined

const mayHaveBegun = ({ progress: { completed, open, state } }: TakenSaga) =>
  state === "compensating" || open?.step === startStep || completed.some(({ step }) => step === startStep)

const decodeNodeId = Schema.decodeUnknownOption(NodeId)
