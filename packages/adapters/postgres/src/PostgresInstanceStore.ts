/** `InstanceStore` over `instances`. Silence is measured by the clock of the server. */
import { Instance } from "@fairlead/core/instances/Instance"
import { InstanceStore } from "@fairlead/core/instances/InstanceStore"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"

const encode = Schema.encodeEffect(jsonText(Instance))
const decode = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ instance: jsonText(Instance), sinceHeartbeatMillis: Schema.Finite }))
)

export const layer = Layer.effect(
  InstanceStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return InstanceStore.of({
      heartbeat: Effect.fnUntraced(function* (instance) {
        yield* sql`insert into instances (instance_id, seen_at, instance)
          values (${instance.instanceId}, clock_timestamp(), ${yield* encode(instance)}::text::jsonb)
          on conflict (instance_id) do update set seen_at = excluded.seen_at, instance = excluded.instance`
      }, storageError("InstanceStore.heartbeat")),

      list: Effect.gen(function* () {
        return yield* decode(
          yield* sql`select instance::text as instance,
              greatest(0, extract(epoch from clock_timestamp() - seen_at) * 1000)::float8 as "sinceHeartbeatMillis"
            from instances order by seen_at desc limit 1000`
        )
      }).pipe(storageError("InstanceStore.list")),

      forget: Effect.fnUntraced(function* (sinceHeartbeatMillis) {
        const gone = yield* sql`delete from instances
          where seen_at <= clock_timestamp() - ${sinceHeartbeatMillis}::float8 * interval '1 millisecond' returning 1 as gone`
        return gone.length
      }, storageError("InstanceStore.forget"))
    })
  })
)
