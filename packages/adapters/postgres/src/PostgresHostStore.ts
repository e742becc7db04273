/** `HostStore` over `hosts`. Silence is measured by the clock of the server. */
import { Host } from "@fairlead/core/hosts/Host"
import { HostStore } from "@fairlead/core/hosts/HostStore"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"

const encode = Schema.encodeEffect(jsonText(Host))
const decode = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ host: jsonText(Host), silentMillis: Schema.Finite }))
)

export const layer = Layer.effect(
  HostStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return HostStore.of({
      beat: Effect.fnUntraced(function* (host) {
        yield* sql`insert into hosts (host_id, seen_at, host)
          values (${host.hostId}, clock_timestamp(), ${yield* encode(host)}::text::jsonb)
          on conflict (host_id) do update set seen_at = excluded.seen_at, host = excluded.host`
      }, storageError("HostStore.beat")),

      list: Effect.gen(function* () {
        return yield* decode(
          yield* sql`select host::text as host,
              greatest(0, extract(epoch from clock_timestamp() - seen_at) * 1000)::float8 as "silentMillis"
            from hosts order by seen_at desc limit 1000`
        )
      }).pipe(storageError("HostStore.list")),

      forget: Effect.fnUntraced(function* (silentMillis) {
        const gone = yield* sql`delete from hosts
          where seen_at <= clock_timestamp() - ${silentMillis}::float8 * interval '1 millisecond' returning 1 as gone`
        return gone.length
      }, storageError("HostStore.forget"))
    })
  })
)
