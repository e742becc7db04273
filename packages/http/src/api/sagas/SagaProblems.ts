/** What can go wrong with a saga, as answers. */
import { SagaAlreadyEnded, SagaNotCancellable, SagaNotFound, SagaNotRestartable } from "@fairlead/core/sagas/SagaError"
import { problem } from "../Problem.ts"

export const sagaNotFound = problem(SagaNotFound, {
  status: 404,
  title: "No such saga",
  detail: ({ sagaId }) => `There is no saga ${sagaId}.`
})
export const notCancellable = problem(SagaNotCancellable, {
  status: 400,
  title: "Saga cannot be cancelled",
  detail: ({ sagaState }) => `Cannot cancel saga in ${sagaState} state`
})
export const notRestartable = problem(SagaNotRestartable, {
  status: 409,
  title: "Saga cannot be restarted",
  detail: ({ fromStep, possibleFrom, reason }) => {
    if (reason === "active") return "The saga has not ended. Wait for its end, or cancel it."
    const possible = possibleFrom.length === 0 ? "from no step on this instance" : `from ${possibleFrom.join(", ")}`
    return reason === "completed"
      ? `The saga completed, so there is no failed step. It can be restarted ${possible}.`
      : `What the steps before ${fromStep ?? "it"} left cannot be taken over. It can be restarted ${possible}.`
  }
})
export const alreadyEnded = problem(SagaAlreadyEnded, {
  status: 409,
  title: "Saga has ended",
  detail: ({ sagaState }) => `The saga is ${sagaState} already; it ends once.`
})
