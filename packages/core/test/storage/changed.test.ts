import { assert, describe, it } from "@effect/vitest"
import { Execution } from "@fairlead/core/executions/Execution"
import { Saga } from "@fairlead/core/sagas/Saga"
import { changed, without } from "@fairlead/core/storage/changed"
import { Equal, Schema } from "effect"

const Executions = Schema.toType(Execution)
const Sagas = Schema.toType(Saga)

describe("changed", () => {
  it.prop("is what the constructor makes of the same members", [Executions, Executions], ([execution, other]) => {
    const { priority, status, updatedAt } = other
    const copy = changed(execution, { priority, status, updatedAt })
    assert.isTrue(Equal.equals(copy, new Execution({ ...execution, priority, status, updatedAt })))
    assert.instanceOf(copy, Execution)
  })

  it.prop("leaves out what is not to be in the copy, and nothing in the model", [Sagas], ([saga]) => {
    const before = { ...saga }
    const { completedAt: _, errorMessage: __, ...rest } = saga
    assert.isTrue(Equal.equals(without(saga, ["completedAt", "errorMessage"]), new Saga(rest)))
    assert.deepStrictEqual({ ...saga }, before)
  })
})
