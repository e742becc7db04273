/** Fills a database with ended executions, as if they had run: copies of one that did, with all that it left behind. */
import type { Database } from "../support/databases.ts"

/** Identities that sort before every real one, numbered by `n`. */
const idOf = (kind: number, n: string) => `('01900000-000${kind}-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`

/** The latest: it has run here, and none of the copies is later. */
const one = `one as (select x.execution_id, s.saga_id, x as execution, s as saga
  from executions x join sagas s on s.subject_id = x.execution_id where x.status = 'completed' order by x.execution_id desc limit 1)`
const numbers = `generate_series(1, $1::int) n`

const copies = [
  `insert into executions (execution_id, owner_id, status, lang, created_at, execution)
    select ${idOf(0, "n")}, x.owner_id, x.status, x.lang, x.created_at,
      jsonb_set(x.execution, '{executionId}', to_jsonb(${idOf(0, "n")}))
    from one join executions x using (execution_id), ${numbers}`,
  `insert into sagas (saga_id, subject_kind, subject_id, owner_id, state, dispatch, fence, node_id, suspended, saga)
    select ${idOf(1, "n")}, s.subject_kind, ${idOf(0, "n")}, s.owner_id, s.state, s.dispatch, s.fence, s.node_id, s.suspended,
      jsonb_set(s.saga, '{subject,id}', to_jsonb(${idOf(0, "n")})) || jsonb_build_object('sagaId', ${idOf(1, "n")})
    from one join sagas s using (saga_id), ${numbers}`,
  `insert into saga_log (saga_id, seq, fence, at, entry) select ${idOf(1, "n")}, l.seq, l.fence, l.at, l.entry
    from one join saga_log l using (saga_id), ${numbers}`,
  `insert into stream_heads select 'execution/' || ${idOf(0, "n")}, h.version, h.txid
    from one join stream_heads h on h.stream = 'execution/' || one.execution_id, ${numbers}`,
  `insert into events (txid, stream, stream_version, event_id, tag, event)
    select e.txid, 'execution/' || ${idOf(0, "n")}, e.stream_version, ${idOf(2, "n * 100::bigint + e.stream_version")}, e.tag, e.event
    from one join events e on e.stream = 'execution/' || one.execution_id, ${numbers} order by n, e.stream_version`,
  `insert into effect_queue (id, queue_name, element, state, attempts, visible_at, created_at, updated_at)
    select ${idOf(1, "n")} || ':1', q.queue_name, q.element, q.state, q.attempts, q.visible_at, q.created_at, q.updated_at
    from one join effect_queue q on q.id = one.saga_id || ':1', ${numbers}`
]

/** Needs an execution that has ended in the database. */
export const storeExecutions = async (database: Database, count: number): Promise<void> => {
  for (const copy of copies) await database.query(`with ${one} ${copy}`, [count])
  await database.query("analyze")
}
