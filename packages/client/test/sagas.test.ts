import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { FairleadClient, FairleadError, login } from "@fairlead/client"
import { baseUrl, register, startHost, type TestHost } from "./support/TestHost.ts"

let host: TestHost
let client: FairleadClient
beforeAll(async () => {
  host = await startHost()
  client = new FairleadClient({ baseUrl, fetch: host.fetch, auth: login(await register(host, "anna")) })
})
afterAll(() => host.stop())

describe("sagas of the SDK", () => {
  it("reads the history, restarts as a new execution, and tells why it cannot", async () => {
    const first = await client.run({ script: "out hello\nexit 3" })
    const { sagas } = await client.sagas.list({ execution_id: first.execution_id })
    const sagaId = sagas[0]?.saga_id ?? ""
    const { runs } = await client.sagas.history(sagaId)
    assert.strictEqual(runs.at(-1)?.step, "store_result")
    const again = await client.sagas.restart(sagaId, "queue_execution")
    assert.strictEqual(again.retry_of, first.execution_id)
    const ended = await client.executions.result(again.execution_id, { waitSeconds: 10 })
    assert.strictEqual(ended.exit_code, 3)
    const refused = await client.sagas.restart(sagaId, "store_result").catch((error: unknown) => error)
    assert.instanceOf(refused, FairleadError)
    assert.isTrue(refused instanceof FairleadError && refused.is("SAGA_NOT_RESTARTABLE"))
    const nothingFailed = await client.sagas.retry(sagaId).catch((error: unknown) => error)
    assert.isTrue(nothingFailed instanceof FairleadError && nothingFailed.is("SAGA_NOT_RESTARTABLE"))
  })

  it("reports what is stuck, and leaves force to administrators", async () => {
    assert.deepStrictEqual(await client.sagas.stuck(), { sagas: [], next: null })
    const { execution_id: id } = await client.executions.submit({ script: "hold" })
    const { sagas } = await client.sagas.listOfExecution(id)
    const refused = await client.sagas.forceFail(sagas[0]?.saga_id ?? "", "mine").catch((error: unknown) => error)
    assert.isTrue(refused instanceof FairleadError && refused.status === 403)
    await client.sagas.cancel(sagas[0]?.saga_id ?? "")
    assert.strictEqual((await client.executions.result(id, { waitSeconds: 10 })).status, "cancelled")
  })
})
