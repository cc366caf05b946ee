import { decideAfterCrash } from '../../../core/verdict.ts'
import { deliveryStatuses, outcomes } from '../../codes.ts'
import type { Rescued } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { endpointsByRef, isBeyond, requireEndpoint, type EndpointRef } from './endpoint-ref.ts'

type Input = Parameters<Store['rescueClaims']>[0]

const UNKNOWN = outcomes.encode('unknown')
const PENDING = deliveryStatuses.encode('pending')
const DEAD_LETTERED = deliveryStatuses.encode('dead_lettered')
const CANCELLED = deliveryStatuses.encode('cancelled')

/** Nodes that are dead: they left, lost their lease, or somebody has begun to rescue. The node that asks is alive. */
const DEAD = `node_id <> $1 AND (has_left OR held_at_death IS NOT NULL OR lease_until <= clock_timestamp())`

/** Whether there is anything to rescue; asked often, and the answer is no. */
export async function isAnyNodeDead({ db }: Pick<PostgresContext, 'db'>, nodeId: string): Promise<boolean> {
  return (await db.row(`SELECT 1 FROM nodes WHERE ${DEAD} LIMIT 1`, nodeId)) !== undefined
}

/**
 * Takes over one dead node at a time. It holds the configuration alone: no transaction that goes by the dead node's claims, or that
 * would make new ones, is under way, and none will be.
 */
export async function rescueClaims({ db }: PostgresContext, { nodeId, now, limit }: Input): Promise<Rescued> {
  const dead = await findDeadNode(db, nodeId)
  if (dead === null) return { rescued: [], ended: 0, more: false }
  const rows = await db.rows(
    `SELECT q.delivery, q.endpoint, q.trigger, q.started_at, q.suspect, q.classes, d.status, d.attempt_count, d.cycle_start,
       d.known_outcomes, d.crashes_alone
     FROM queue q JOIN deliveries d ON d.position = q.delivery WHERE q.node = $1 ORDER BY q.delivery LIMIT $2
     FOR UPDATE OF q, d`,
    ...[dead.ref, limit],
  )
  const endpoints = await endpointsByRef(
    db,
    rows.map((row) => row['endpoint'] as number),
  )
  const ends = rows.map((row) => endOf(row, dead, requireEndpoint(endpoints, row['endpoint']), now))
  await write(db, ends, now)
  if (rows.length < limit) await db.run('DELETE FROM nodes WHERE ref = $1', dead.ref)
  const waiting = ends.filter(({ dueAt }) => dueAt !== null)
  return {
    rescued: waiting.map(({ position, endpoint }) => ({ position, endpointId: endpoint.id })),
    ended: ends.length - waiting.length,
    more: rows.length === limit || (await isAnyNodeDead({ db }, nodeId)),
  }
}

interface DeadNode {
  ref: number
  /** It said goodbye: what it left behind was not cut off by a crash. */
  left: boolean
  /** It died with a single delivery in flight. */
  alone: boolean
}

async function findDeadNode(db: Session, own: string): Promise<DeadNode | null> {
  const row = await db.row(
    `SELECT ref, has_left, held_at_death FROM nodes WHERE ${DEAD} ORDER BY ref LIMIT 1 FOR UPDATE`,
    own,
  )
  if (row === undefined) return null
  const ref = row['ref'] as number
  let held = row['held_at_death'] as number | null
  if (held === null) {
    const counted = await db.row('SELECT count(*)::integer AS held FROM queue WHERE node = $1', ref)
    held = counted?.['held'] as number
    await db.run('UPDATE nodes SET held_at_death = $1 WHERE ref = $2', held, ref)
  }
  const left = row['has_left'] as boolean
  return { ref, left, alone: held === 1 && !left }
}

/** How a delivery goes on, or ends, whose attempt nobody knows the outcome of. */
interface End {
  position: number
  endpoint: EndpointRef
  number: number
  trigger: number
  startedAt: number
  suspect: boolean
  crashesAlone: number
  status: number
  /** `null`: as it is. */
  reason: string | null
  dueAt: number | null
}

function endOf(row: Row, { alone, left }: DeadNode, endpoint: EndpointRef, now: number): End {
  const crashesAlone = (row['crashes_alone'] as number) + (alone ? 1 : 0)
  return {
    position: row['delivery'] as number,
    endpoint,
    number: row['attempt_count'] as number,
    trigger: row['trigger'] as number,
    startedAt: row['started_at'] as number,
    suspect: (row['suspect'] as boolean) || !left,
    crashesAlone,
    ...afterCrash(row, crashesAlone, endpoint, now),
  }
}

function afterCrash(
  row: Row,
  crashesAlone: number,
  endpoint: EndpointRef,
  now: number,
): Pick<End, 'status' | 'reason' | 'dueAt'> {
  const status = row['status'] as number
  if (status !== PENDING) return { status, reason: null, dueAt: null }
  const verdict = decideAfterCrash({
    number: row['attempt_count'] as number,
    cycleStart: row['cycle_start'] as number,
    knownOutcomes: row['known_outcomes'] as number,
    crashesAlone,
    maxAttempts: endpoint.maxAttempts,
    now,
  })
  if (verdict.kind === 'dead_letter') return { status: DEAD_LETTERED, reason: verdict.reason, dueAt: null }
  // Its one attempt is used up, and its listener was cut off too.
  if (endpoint.kind === 'relay') return { status: CANCELLED, reason: 'listener_gone', dueAt: null }
  if (endpoint.deleted) return { status: CANCELLED, reason: 'endpoint_deleted', dueAt: null }
  if (isBeyond(row, endpoint)) return { status: CANCELLED, reason: 'policy_changed', dueAt: null }
  return { status, reason: null, dueAt: verdict.at }
}

async function write(db: Session, ends: readonly End[], now: number): Promise<void> {
  if (ends.length === 0) return
  const positions = ends.map(({ position }) => position)
  await Promise.all([
    db.run(
      `INSERT INTO attempts (delivery, number, trigger, started_at, outcome, request_headers, response_headers, truncated, phases)
       SELECT delivery, number, trigger, started_at, $5, '[]', '{}', FALSE, '{"dns":null,"connect":null,"tls":null,"wait":null}'
       FROM unnest($1::bigint[], $2::integer[], $3::smallint[], $4::bigint[]) AS a (delivery, number, trigger, started_at)`,
      positions,
      ends.map(({ number }) => number),
      ends.map(({ trigger }) => trigger),
      ends.map(({ startedAt }) => startedAt),
      UNKNOWN,
    ),
    db.run(
      `UPDATE deliveries d SET status = e.status, reason = coalesce(e.reason, d.reason), suspect = e.suspect,
         crashes_alone = e.crashes_alone, last_outcome = $6, updated_at = $7
       FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::boolean[], $5::integer[])
         AS e (delivery, status, reason, suspect, crashes_alone) WHERE d.position = e.delivery`,
      positions,
      ends.map(({ status }) => status),
      ends.map(({ reason }) => reason),
      ends.map(({ suspect }) => suspect),
      ends.map(({ crashesAlone }) => crashesAlone),
      ...[UNKNOWN, now],
    ),
    db.run(
      'DELETE FROM queue WHERE delivery = ANY($1)',
      ends.filter(({ dueAt }) => dueAt === null).map(({ position }) => position),
    ),
    db.run(
      `UPDATE queue q SET due_at = e.due_at, node = NULL, started_at = NULL, trigger = 0, suspect = e.suspect,
         crashes_alone = e.crashes_alone
       FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::integer[]) AS e (delivery, due_at, suspect, crashes_alone)
       WHERE q.delivery = e.delivery AND e.due_at IS NOT NULL`,
      positions,
      ends.map(({ dueAt }) => dueAt),
      ends.map(({ suspect }) => suspect),
      ends.map(({ crashesAlone }) => crashesAlone),
    ),
  ])
}
