import { assert, describe, it } from "@effect/vitest"
import { Storage } from "@fairlead/core/storage/Storage"
import { StorageError } from "@fairlead/core/storage/StorageError"
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

  it.live("asks for new pages after a write that found no room, until it gets them", () =>
    Effect.gen(function* () {
      const [{ check, transaction }, sql] = [yield* Storage, yield* SqlClient.SqlClient]
      yield* sql.unsafe(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception using errcode = '53100'; end $$"
      )
      yield* sql.unsafe(
        "create trigger refusal before insert on write_probes for each row when (new.name like 'room %') execute function refuse()"
      )
      yield* check
      const full = new StorageError({ operation: "a write", retryable: true, cause: "no room", condition: "full" })
      yield* Effect.flip(transaction(Effect.fail(full)))
      assert.strictEqual((yield* Effect.flip(check)).condition, "full")
      yield* sql.unsafe("drop trigger refusal on write_probes")
      yield* check
      assert.deepStrictEqual(yield* sql`select name from write_probes`, [{ name: "storage" }])
    }).pipe(Effect.provide(storage))
  )
})
