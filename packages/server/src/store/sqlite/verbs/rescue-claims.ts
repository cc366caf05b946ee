import { decideAfterCrash, type CrashFacts } from '../../../core/verdict.ts'
import type { Rescued } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { deliveryStatuses, outcomes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import { isBeyond, nodeRef, type EndpointRef, type SqliteContext } from './context.ts'
import { noteDeadLetter } from './notices.ts'
import { insertAttempt } from './insert-attempt.ts'

type Input = Parameters<Store['rescueClaims']>[0]

const DEAD_LETTERED = deliveryStatuses.encode('dead_lettered')
const UNKNOWN = outcomes.encode('unknown')
const NO_PHASES = { dns: null, connect: null, tls: null, wait: null }

/** Takes over one dead node at a time. */
export function rescueClaims(context: SqliteContext, input: Input): Rescued {
  const { db } = context
  const dead = findDeadNode(db, nodeRef(db, input.nodeId))
  const result: Rescued = { rescued: [], ended: 0, more: false }
  if (dead === null) return result
  const rows = db
    .prepare(
      `SELECT position, endpoint, status, attempt_count, cycle_start, known_outcomes, crashes_alone, trigger, started_at,
         created_at, classes
       FROM deliveries WHERE node = ? ORDER BY position LIMIT ?`,
    )
    .all(dead.ref, input.limit) as Row[]
  for (const row of rows) rescueOne(context, row, { ...dead, now: input.now }, result)
  if (rows.length < input.limit) db.prepare('DELETE FROM nodes WHERE ref = ?').run(dead.ref)
  result.more = rows.length === input.limit || findDeadNode(db, nodeRef(db, input.nodeId)) !== null
  return result
}

interface DeadNode {
  ref: number
  /** It said goodbye: what it left behind was not cut off by a crash. */
  left: boolean
  /** It died with a single delivery in flight. */
  alone: boolean
}

function findDeadNode(db: Database, own: number | null): DeadNode | null {
  const row = db
    .prepare('SELECT ref, left, held_at_death FROM nodes WHERE ref <> ? ORDER BY ref LIMIT 1')
    .get(own ?? 0) as Row | undefined
  if (row === undefined) return null
  const ref = row['ref'] as number
  let held = row['held_at_death'] as number | null
  if (held === null) {
    held = (db.prepare('SELECT count(*) AS held FROM deliveries WHERE node = ?').get(ref) as Row)['held'] as number
    db.prepare('UPDATE nodes SET held_at_death = ? WHERE ref = ?').run(held, ref)
  }
  const left = row['left'] === 1
  return { ref, left, alone: held === 1 && !left }
}

function rescueOne(
  { db, endpointRefs }: SqliteContext,
  row: Row,
  { alone, left, now }: DeadNode & { now: number },
  result: Rescued,
): void {
  const position = row['position'] as number
  const number = row['attempt_count'] as number
  const endpoint = endpointRefs.byRef(row['endpoint'] as number)
  insertAttempt(db, {
    delivery: position,
    number,
    trigger: row['trigger'] as number,
    startedAt: (row['started_at'] as number | null) ?? (row['created_at'] as number),
    durationMs: null,
    outcome: UNKNOWN,
    statusCode: null,
    requestHeaders: [],
    responseHeaders: {},
    excerpt: null,
    truncated: false,
    phases: NO_PHASES,
  })
  const crashesAlone = (row['crashes_alone'] as number) + (alone ? 1 : 0)
  const facts: CrashFacts = {
    number,
    cycleStart: row['cycle_start'] as number,
    knownOutcomes: row['known_outcomes'] as number,
    crashesAlone,
    maxAttempts: endpoint.entry.maxAttempts,
    now,
  }
  const next = afterCrash(row, facts, endpoint.entry)
  db.prepare(
    `UPDATE deliveries SET status = ?, reason = coalesce(?, reason), due_at = ?, node = NULL, started_at = NULL,
       trigger = 0, suspect = max(suspect, ?), crashes_alone = ?, last_outcome = ?, updated_at = ?
     WHERE position = ?`,
  ).run(next.status, next.reason, next.dueAt, left ? 0 : 1, crashesAlone, UNKNOWN, now, position)
  if (next.status === DEAD_LETTERED && row['status'] !== DEAD_LETTERED) noteDeadLetter(db, position)
  if (next.dueAt === null) result.ended++
  else result.rescued.push({ position, endpointId: endpoint.id })
}

function afterCrash(
  row: Row,
  facts: CrashFacts,
  endpoint: EndpointRef,
): { status: number; reason: string | null; dueAt: number | null } {
  const status = row['status'] as number
  if (deliveryStatuses.decode(status) !== 'pending') return { status, reason: null, dueAt: null }
  const verdict = decideAfterCrash(facts)
  if (verdict.kind === 'dead_letter') {
    return { status: deliveryStatuses.encode('dead_lettered'), reason: verdict.reason, dueAt: null }
  }
  const cancelled = deliveryStatuses.encode('cancelled')
  // Its one attempt is used up, and its listener was cut off too.
  if (endpoint.kind === 'relay') return { status: cancelled, reason: 'listener_gone', dueAt: null }
  if (endpoint.deleted) return { status: cancelled, reason: 'endpoint_deleted', dueAt: null }
  if (isBeyond(row, endpoint)) return { status: cancelled, reason: 'policy_changed', dueAt: null }
  return { status, reason: null, dueAt: verdict.at }
}
