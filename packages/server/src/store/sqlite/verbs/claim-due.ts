import type { DeliveryReason } from '@runbell/sdk/contract'
import type { Claim } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { deliveryStatuses, endpointKinds, endpointStatuses, modes, triggers } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import { dueForReader } from '../../turns.ts'
import { joinBody } from '../../body.ts'
import { isBeyond, requireNode, type SqliteContext } from './context.ts'

type Input = Parameters<Store['claimDue']>[0]
type Output = Awaited<ReturnType<Store['claimDue']>>

const EXPIRED = deliveryStatuses.encode('expired')
const CANCELLED = deliveryStatuses.encode('cancelled')
const ENABLED = endpointStatuses.encode('enabled')
const PULL = endpointKinds.encode('pull')

export function claimDue(context: SqliteContext, input: Input): Output {
  const node = requireNode(context.db, input.nodeId)
  const claims: Claim[] = []
  const nextDue = input.requests.map(({ endpointId, limit }) => {
    const endpoint = sendable(context, endpointId)
    if (endpoint === null) return { endpointId, nextDue: null }
    claimOf(context, { endpoint, limit, node, now: input.now }, claims)
    return { endpointId, nextDue: earliestDue(context, endpoint) }
  })
  return { claims, nextDue, configVersion: context.db.configVersion() }
}

function sendable({ db }: SqliteContext, endpointId: string): number | null {
  const row = db
    .prepare('SELECT ref FROM endpoints WHERE id = ? AND status = ? AND kind <> ? AND deleted_at IS NULL')
    .get(endpointId, ENABLED, PULL)
  return (row?.['ref'] as number | undefined) ?? null
}

function earliestDue({ db }: SqliteContext, endpoint: number): number | null {
  const row = db
    .prepare('SELECT min(due_at) AS due FROM deliveries WHERE endpoint = ? AND due_at IS NOT NULL AND suspect = 0')
    .get(endpoint) as Row
  return dueForReader(row['due'] as number | null)
}

interface Request {
  endpoint: number
  limit: number
  node: number
  now: number
}

const SELECT = `SELECT d.position, d.id, d.tenant_id, d.mode, d.attempt_count, d.cycle_start, d.trigger, d.deadline,
    d.suspect, d.crashes_alone, d.classes, d.endpoint, e.event_id, e.type, e.prefix, e.source, e.data_start, e.data_end,
    p.id AS endpoint_id, (SELECT body FROM bodies WHERE ref = d.body) AS own_body,
    (SELECT run_id FROM runs WHERE ref = e.run) AS run_id
  FROM deliveries d JOIN events e ON e.position = d.event JOIN endpoints p ON p.ref = d.endpoint`

function claimOf(context: SqliteContext, request: Request, claims: Claim[]): void {
  const { endpoint, limit, node, now } = request
  const due = context.db.prepare(
    `${SELECT} WHERE d.endpoint = ? AND d.due_at <= ? AND d.suspect = 0 ORDER BY d.due_at, d.position LIMIT ?`,
  )
  let missing = limit
  while (missing > 0) {
    const rows = due.all(endpoint, now, missing) as Row[]
    for (const row of rows) {
      const claim = takeOrEnd(context, row, node, now)
      if (claim === null) continue
      claims.push(claim)
      missing--
    }
    if (rows.length === 0) return
  }
}

export function claimSuspect(
  context: SqliteContext,
  input: Parameters<Store['claimSuspect']>[0],
): { claim: Claim | null; configVersion: number } {
  const node = requireNode(context.db, input.nodeId)
  const next = context.db.prepare(
    `${SELECT} WHERE d.suspect = 1 AND d.due_at <= ? AND p.status = ? AND p.deleted_at IS NULL
     ORDER BY d.crashes_alone DESC, d.due_at, d.position LIMIT 1`,
  )
  let claim: Claim | null = null
  while (claim === null) {
    const row = next.get(input.now, ENABLED) as Row | undefined
    if (row === undefined) break
    claim = takeOrEnd(context, row, node, input.now)
  }
  return { claim, configVersion: context.db.configVersion() }
}

/** Puts the attempt on record, or ends the delivery: past its deadline, or with more in it than may be sent now. */
function takeOrEnd({ db, endpointRefs }: SqliteContext, row: Row, node: number, now: number): Claim | null {
  const position = row['position'] as number
  const deadline = row['deadline'] as number | null
  const { entry } = endpointRefs.byRef(row['endpoint'] as number)
  if (deadline !== null && deadline <= now) return endNow(db, position, EXPIRED, 'deadline_passed', now)
  if (isBeyond(row, entry)) return endNow(db, position, CANCELLED, 'policy_changed', now)
  db.prepare(
    `UPDATE deliveries SET attempt_count = attempt_count + 1, due_at = NULL, node = ?, started_at = ?, updated_at = ?
     WHERE position = ?`,
  ).run(node, now, now, position)
  return claimFrom(row)
}

function endNow(db: Database, position: number, status: number, reason: DeliveryReason, now: number): null {
  db.prepare('UPDATE deliveries SET status = ?, reason = ?, due_at = NULL, updated_at = ? WHERE position = ?').run(
    status,
    reason,
    now,
    position,
  )
  return null
}

function claimFrom(row: Row): Claim {
  const source = row['source'] as Uint8Array
  return {
    position: row['position'] as number,
    number: (row['attempt_count'] as number) + 1,
    deliveryId: row['id'] as string,
    endpointId: row['endpoint_id'] as string,
    tenantId: row['tenant_id'] as string,
    mode: modes.decode(row['mode']),
    eventId: row['event_id'] as string,
    eventType: row['type'] as string,
    runId: row['run_id'] as string | null,
    trigger: triggers.decode(row['trigger']),
    cycleStart: row['cycle_start'] as number,
    deadline: row['deadline'] as number | null,
    body:
      (row['own_body'] as Uint8Array | null) ??
      joinBody(row['prefix'] as Uint8Array, source.subarray(row['data_start'] as number, row['data_end'] as number)),
    classes: row['classes'] as number,
    suspect: row['suspect'] === 1,
    crashesAlone: row['crashes_alone'] as number,
  }
}
