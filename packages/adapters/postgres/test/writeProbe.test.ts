import { assert, describe, it } from "@effect/vitest"
import { Storage } from "@fairlead/core/storage/Storage"
import { layerMigrations, layerUnitOfWork } from "@fairlead/postgres/PostgresStorage"
import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"

const storage = layerUnitOfWork(Effect.succeed("none" as const)).pipe(
  Layer.provide(layerMigrations),
  Layer.provideMerge(PgliteClient.layer({}))
)

describe("Storage.check", () => {
  it.live.each([
    ["25006", "read-only"],
    ["53100", "full"]
  ] as const)("fails while writes are refused with %s and says %s; passes again by itself", ([state, condition]) =>
    Effect.gen(function* () {
      const [{ check }, sql] = [yield* Storage, yield* SqlClient.SqlClient]
      yield* check
      yield* sql.unsafe(
        `create function refuse() returns trigger language plpgsql as $$ begin raise exception using errcode = '${state}'; end $$`
      )
      yield* sql.unsafe("create trigger refusal before insert on write_probes execute function refuse()")
      const error = yield* Effect.flip(check)
      assert.deepStrictEqual([error.condition, error.retryable], [condition, true])
      yield* sql.unsafe("drop trigger refusal on write_probes")
      yield* check
    }).pipe(Effect.provide(storage))
  )
})
