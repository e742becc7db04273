/** Whether the database takes writes, asked by writing. */
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

/**
 * `probe` writes one small row over itself. On a disk without room that may succeed in a page that is there, while what users write needs new
 * ones: so after `note` of a write that found the disk full, it takes 128 KiB of new pages and gives them back, until there is room for them.
 */
export const makeWriteProbe = (sql: SqlClient.SqlClient) => {
  let wasFull = false
  const small = sql`
    insert into write_probes (name, at) values ('storage', now()) on conflict (name) do update set at = now()`
  const large = sql.withTransaction(
    Effect.andThen(
      sql`insert into write_probes (name, at)
        select 'room ' || n || repeat(md5(random()::text), 32), now() from generate_series(1, 64) n`,
      sql`delete from write_probes where name like 'room %'`
    )
  )
  return {
    note: ({ condition }: StorageError) =>
      Effect.sync(() => {
        if (condition === "full") wasFull = true
      }),
    probe: Effect.suspend(() =>
      wasFull
        ? Effect.map(large, () => {
            wasFull = false
          })
        : small
    )
  }
}
