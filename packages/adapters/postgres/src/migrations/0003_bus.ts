/** Consumer groups of the bus with their leases, and the deliveries that failed. Rows hold filter columns beside the whole model. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all(
    [
      // `cursor` is one of the event log; null is its beginning. Nobody holds the group while `lease_until` is null or past.
      sql`create table bus_groups (
        group_name text primary key,
        cursor text,
        fence integer not null,
        lease_until timestamptz
      ) with (fillfactor = 50)`,

      sql`create table bus_deliveries (
        group_name text not null,
        event_id uuid not null,
        stream text not null,
        stream_version integer not null,
        state text not null,
        visible_at timestamptz not null,
        updated_at timestamptz not null,
        delivery jsonb not null,
        primary key (group_name, event_id)
      ) with (fillfactor = 80)`,
      sql`create index bus_deliveries_retry on bus_deliveries (group_name, stream, stream_version) where state = 'retry'`,
      sql`create index bus_deliveries_dead on bus_deliveries (group_name, updated_at, event_id) where state = 'dead'`
    ],
    { discard: true }
  )
)
