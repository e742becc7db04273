/** `LoginAttemptStore` over `login_attempts`. The row of a key is the lock on which attempts of all instances line up. */
import { LoginAttemptStore, maximumLoginAttempts } from "@fairlead/core/auth/users/LoginAttemptStore"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { storageError } from "./PostgresError.ts"

const decode = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ count: Schema.Int, ends_at: Schema.Number })]))

export const layer = Layer.effect(
  LoginAttemptStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return LoginAttemptStore.of({
      // The cases are those of `LoginAttempts.charge`, in its order.
      charge: Effect.fnUntraced(function* (key, now, { failures, windowMillis }) {
        const ended = sql`known.ends_at <= ${now}::bigint`
        const [row] = yield* decode(
          yield* sql`insert into login_attempts as known (key, count, ends_at)
            values (${key}, 1, ${now + windowMillis}::bigint)
            on conflict (key) do update set
              count = case when ${ended} then 1 else least(known.count + 1, ${failures + 1}::int) end,
              ends_at = case when ${ended} or known.count + 1 = ${failures}::int then excluded.ends_at else known.ends_at end
            returning count, ends_at::float8 as ends_at`
        )
        return { count: row.count, endsAt: row.ends_at }
      }, storageError("LoginAttemptStore.charge")),

      clear: Effect.fnUntraced(function* (key) {
        yield* sql`delete from login_attempts where key = ${key}`
      }, storageError("LoginAttemptStore.clear")),

      prune: Effect.fnUntraced(function* (now) {
        const gone = yield* sql`with
          ended as (select key from login_attempts where ends_at <= ${now}::bigint limit 10000 for update skip locked),
          beyond as (select key from login_attempts order by ends_at desc offset ${maximumLoginAttempts} limit 10000)
          delete from login_attempts where key in (select key from ended union select key from beyond) returning 1`
        return gone.length
      }, storageError("LoginAttemptStore.prune"))
    })
  })
)
