import { assert, describe, it } from "@effect/vitest"
import * as Auth from "@fairlead/http/api/auth/AuthApi"
import * as Events from "@fairlead/http/api/events/EventsApi"
import * as Executions from "@fairlead/http/api/executions/ExecutionViews"
import * as Health from "@fairlead/http/api/health/HealthApi"
import * as Instances from "@fairlead/http/api/instances/InstancesApi"
import * as Queue from "@fairlead/http/api/queue/QueueApi"
import * as Sagas from "@fairlead/http/api/sagas/SagaViews"
import { type Wire, wire } from "@fairlead/http/api/Wire"
import { DateTime, Predicate, Schema } from "effect"

const isWire = (value: unknown): value is Wire<unknown> =>
  Schema.isSchema(value) && Predicate.hasProperty(value, "text")

const contract = [Auth, Events, Executions, Health, Instances, Queue, Sagas].flatMap((module) =>
  Object.entries(module).flatMap(([name, value]) => (isWire(value) ? [{ name, schema: value }] : []))
)

class Moment extends Schema.Class<Moment>("Moment")({ beginsAt: Schema.DateTimeUtcFromString }) {}
const Rare = Schema.Struct({
  eitherOf: Schema.Union([Schema.Struct({ exitCode: Schema.Int }), Schema.Struct({ errorType: Schema.Date })]),
  anyNumber: Schema.Number,
  orNothing: Schema.UndefinedOr(Schema.String),
  twoOf: Schema.Tuple([Schema.String, Moment]),
  momentsByName: Schema.Record(Schema.String, Moment),
  allMoments: Schema.Array(Schema.NullOr(Moment)),
  anything: Schema.Json,
  inMillis: Schema.DateTimeUtcFromMillis
})

const holds = <A>(name: string, schema: Wire<A>) =>
  it.prop(`is what encoding writes, whatever the value: ${name}`, [Schema.toType(schema)], ([value]) => {
    assert.deepStrictEqual(JSON.parse(schema.text(value)), JSON.parse(JSON.stringify(Schema.encodeSync(schema)(value))))
  })

describe("the text of a wire schema", () => {
  for (const { name, schema } of contract) holds(name, schema)
  holds("rare parts", wire("Rare", Rare))

  it("covers what handlers answer", () => {
    assert.includeMembers(
      contract.map(({ name }) => name),
      ["User", "ResultView", "ResultList", "ExecutionView", "Accepted", "SagaList", "QueueList"]
    )
  })

  it("leaves out what the schema does not name", () => {
    const Answer = wire("Answer", Schema.Struct({ executionId: Schema.String, inside: Schema.Struct({}), at: Moment }))
    const at = { beginsAt: DateTime.makeUnsafe(0), sealed: 3 }
    const value = { executionId: "1", sealedEnv: "secret", inside: { hidden: 1 }, at }
    assert.strictEqual(
      Answer.text(value),
      '{"execution_id":"1","inside":{},"at":{"begins_at":"1970-01-01T00:00:00.000Z"}}'
    )
  })
})
