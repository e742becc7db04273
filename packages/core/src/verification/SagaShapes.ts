/** The steps of every saga that may be stored, as far as its log is judged by them. A version stays here while a log of it may exist. */
import type { Saga } from "../sagas/Saga.ts"
import type { StepShape } from "../sagas/SagaDecision.ts"

interface SagaShape {
  readonly name: string
  readonly version: number
  readonly steps: ReadonlyArray<StepShape>
}

export const sagaShapes: ReadonlyArray<SagaShape> = [
  {
    name: "execution_saga",
    version: 1,
    steps: [
      { name: "validate_execution", hasUndo: false },
      { name: "allocate_resources", hasUndo: false },
      { name: "queue_execution", hasUndo: true },
      { name: "start_job", hasUndo: true },
      { name: "monitor_execution", hasUndo: false },
      { name: "store_result", hasUndo: false }
    ]
  }
]

/** None for a definition that is not known: its log is then judged by the legal moves alone. */
export const stepsOf = ({
  definitionVersion,
  sagaName
}: Pick<Saga, "definitionVersion" | "sagaName">): ReadonlyArray<StepShape> | undefined =>
  sagaShapes.find(({ name, version }) => name === sagaName && version === definitionVersion)?.steps
