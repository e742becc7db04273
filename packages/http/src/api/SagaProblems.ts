/** What can go wrong with a saga, as answers. */
import { SagaNotCancellable, SagaNotFound } from "@fairlead/core/sagas/SagaError"
import { problem } from "./Problem.ts"

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
