/** The words of the field: nodes, instances, executors and assigned slots, in columns and in stored models. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const queue = (sql: SqlClient.SqlClient) => [
  sql`alter table queue_entries rename column place to node_id`,
  sql`alter table queue_entries rename column demand to requirement`,
  sql`drop index queue_entries_admitted`,
  sql`drop index queue_entries_expiry`,
  sql`update queue_entries set state = 'assigned' where state = 'admitted'`,
  sql`create index queue_entries_assigned on queue_entries (node_id) where state = 'assigned'`,
  sql`create index queue_entries_expiry on queue_entries (expires_at) where state <> 'assigned'`
]

const sagas = (sql: SqlClient.SqlClient) => [
  sql`alter table sagas rename column lane to node_id`,
  sql`alter table sagas rename column parked to suspended`,
  sql`alter index sagas_lane rename to sagas_node`,
  sql`update sagas set saga = (saga - '{lane,parked,driver}'::text[]) || jsonb_strip_nulls(jsonb_build_object(
    'nodeId', saga -> 'lane', 'suspended', saga -> 'parked', 'executor', saga -> 'driver'))
    where saga ?| '{lane,parked,driver}'::text[]`,
  sql`alter table saga_log rename column driver to executor`
]

const executions = (sql: SqlClient.SqlClient) => [
  sql`update executions set execution = (execution - 'place') || jsonb_build_object('nodeId', execution -> 'place')
    where execution ? 'place'`,
  sql`update executions set execution = jsonb_set(execution, '{earlierAttempts}',
    (select jsonb_agg(case when attempt ? 'place'
        then (attempt - 'place') || jsonb_build_object('nodeId', attempt -> 'place') else attempt end order by n)
      from jsonb_array_elements(execution -> 'earlierAttempts') with ordinality as earlier (attempt, n)))
    where execution ? 'earlierAttempts'`
]

const instances = (sql: SqlClient.SqlClient) => [
  sql`alter table hosts rename to instances`,
  sql`alter table instances rename column host_id to instance_id`,
  sql`alter table instances rename column host to instance`,
  sql`alter index hosts_pkey rename to instances_pkey`,
  sql`update instances set instance = (instance - '{hostId,leaving,places}'::text[]) || jsonb_build_object(
    'instanceId', instance -> 'hostId', 'draining', instance -> 'leaving',
    'nodes', (select coalesce(jsonb_agg((served - 'place') || jsonb_build_object('nodeId', served -> 'place') order by n), '[]')
      from jsonb_array_elements(instance -> 'places') with ordinality as places (served, n)))`
]

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all([...queue(sql), ...sagas(sql), ...executions(sql), ...instances(sql)], { discard: true })
)
