import { endpointStatuses, modes, triggers } from '../../codes.ts'
import { joinBody } from '../../body.ts'
import type { Claim } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { dueForReader, ORDERINGS } from '../../turns.ts'
import type { Row, Session } from '../session.ts'
import { readGround, type PostgresContext } from './context.ts'
import type { EndpointRef } from './endpoint-ref.ts'
import { endWaiting } from './end-waiting.ts'
import { giveTurns } from './lanes.ts'

type Input = Parameters<Store['claimDue']>[0]
type Output = Awaited<ReturnType<Store['claimDue']>>

const ENABLED = endpointStatuses.encode('enabled')

interface Request {
  endpoint: EndpointRef
  limit: number
}

interface Claimer {
  /** Its reference. */
  node: number
  now: number
}

/** What a node whose lease has run out claims could only be rescued again, as attempts that were never made. */
export async function claimDue(context: PostgresContext, { nodeId, now, requests }: Input): Promise<Output> {
  const { db } = context
  const { node, configVersion } = await readGround(db, nodeId)
  const asked = requests.map(({ endpointId }) => endpointId)
  const endpoints = await context.endpoints.byId(db, configVersion, asked)
  const wanted = requests.flatMap(({ endpointId, limit }) => {
    const endpoint = endpoints.get(endpointId)
    return endpoint?.maySend === true && limit > 0 ? [{ endpoint, limit }] : []
  })
  const claims = node?.alive === true ? await claimOf(db, wanted, { node: node.ref, now }) : []
  const refs = asked.map((id) => endpoints.get(id)).filter((endpoint) => endpoint?.maySend === true)
  const due = await earliestDue(
    db,
    refs.map((endpoint) => (endpoint as EndpointRef).ref),
  )
  const nextDue = asked.map((endpointId) => ({
    endpointId,
    nextDue: dueForReader(due.get(endpoints.get(endpointId)?.ref ?? 0) ?? null),
  }))
  return { claims, nextDue, configVersion }
}

async function earliestDue(db: Session, endpoints: readonly number[]): Promise<Map<number, number>> {
  if (endpoints.length === 0) return new Map()
  const rows = await db.rows(
    `SELECT asked.endpoint, first.due_at FROM unnest($1::bigint[]) AS asked (endpoint), LATERAL (
       SELECT due_at FROM queue WHERE endpoint = asked.endpoint AND due_at IS NOT NULL AND NOT suspect
       ORDER BY due_at LIMIT 1) AS first`,
    endpoints,
  )
  return new Map(rows.map((row) => [row['endpoint'] as number, row['due_at'] as number]))
}

/** Asks again for endpoints of which some ended instead, until each has its number or nothing more is due. */
async function claimOf(db: Session, requests: Request[], claimer: Claimer): Promise<Claim[]> {
  const claims: Claim[] = []
  for (let open = requests; open.length > 0;) {
    // Also after each round: what ended in it may have given its turn to another.
    const ordered = open.filter(({ endpoint }) => endpoint.ordering !== ORDERINGS.never)
    await giveTurns(
      db,
      ordered.map(({ endpoint }) => endpoint.ref),
      claimer.now,
    )
    const taken = await takeDue(db, open, claimer)
    claims.push(...taken.claims)
    open = taken.missing
  }
  return claims
}

/** What a claim carries besides what was found in the queue; the statements before it name that `picked` and `counted`. */
const CLAIMED = `SELECT picked.delivery, picked.place, picked.end_as, picked.endpoint, picked.trigger, picked.suspect,
    picked.crashes_alone, d.id, d.tenant_id, d.mode, d.attempt_count, d.cycle_start, d.deadline, d.classes, e.event_id, e.type,
    CASE WHEN d.body IS NULL THEN e.prefix END AS prefix,
    CASE WHEN d.body IS NULL THEN substring(e.source FROM e.data_start + 1 FOR e.data_end - e.data_start) END AS data,
    (SELECT body FROM bodies WHERE ref = d.body) AS own_body, (SELECT run_id FROM runs WHERE ref = e.run) AS run_id
  FROM picked LEFT JOIN counted d ON d.position = picked.delivery LEFT JOIN events e ON e.position = d.event`

/** Puts attempts on record: each that was picked and may be sent. */
const TAKE = `taken AS (
    UPDATE queue SET node = $1, started_at = $2, due_at = NULL FROM picked
    WHERE queue.delivery = picked.delivery AND picked.end_as IS NULL RETURNING queue.delivery),
  counted AS (
    UPDATE deliveries SET attempt_count = attempt_count + 1, updated_at = $2 FROM taken
    WHERE position = taken.delivery RETURNING deliveries.*)`

/** What becomes of one that is due: past its deadline, or with more in it than may be sent now, it ends. */
const END_AS = `CASE WHEN q.deadline <= $2 THEN 'expired' WHEN q.classes & ~asked.grants <> 0 THEN 'cancelled' END`

async function takeDue(
  db: Session,
  requests: Request[],
  { node, now }: Claimer,
): Promise<{ claims: Claim[]; missing: Request[] }> {
  const rows = await db.rows(
    `WITH asked AS (
       SELECT * FROM unnest($3::bigint[], $4::integer[], $5::integer[]) WITH ORDINALITY AS a (endpoint, amount, grants, place)),
     picked AS MATERIALIZED (
       SELECT asked.place, q.*, ${END_AS} AS end_as FROM asked, LATERAL (
         SELECT delivery, endpoint, due_at, trigger, suspect, crashes_alone, deadline, classes FROM queue
         WHERE endpoint = asked.endpoint AND due_at <= $2 AND due_at IS NOT NULL AND NOT suspect
         ORDER BY due_at, delivery LIMIT asked.amount FOR UPDATE SKIP LOCKED) AS q),
     ${TAKE}
     ${CLAIMED} ORDER BY picked.place, picked.due_at, picked.delivery`,
    node,
    now,
    requests.map(({ endpoint }) => endpoint.ref),
    requests.map(({ limit }) => limit),
    requests.map(({ endpoint }) => endpoint.grants),
  )
  await endPicked(db, rows, now)
  const claims: Claim[] = []
  const claimed = new Map<number, number>()
  const ended = new Set<number>()
  for (const row of rows) {
    const place = row['place'] as number
    if (row['end_as'] !== null) {
      ended.add(place)
      continue
    }
    claimed.set(place, (claimed.get(place) ?? 0) + 1)
    const { endpoint } = requests[place - 1] as Request
    claims.push(claimFrom(row, endpoint.id))
  }
  const missing = [...ended].map((place) => {
    const { endpoint, limit } = requests[place - 1] as Request
    return { endpoint, limit: limit - (claimed.get(place) ?? 0) }
  })
  return { claims, missing }
}

/** Ends what was found past its deadline, or with too much in it. */
async function endPicked(db: Session, rows: readonly Row[], now: number): Promise<void> {
  const of = (status: string) => rows.filter((row) => row['end_as'] === status).map((row) => row['delivery'] as number)
  await endWaiting(db, of('expired'), { status: 'expired', reason: 'deadline_passed', now })
  await endWaiting(db, of('cancelled'), { status: 'cancelled', reason: 'policy_changed', now })
}

export async function claimSuspect(
  context: PostgresContext,
  { nodeId, now }: Parameters<Store['claimSuspect']>[0],
): Promise<{ claim: Claim | null; configVersion: number }> {
  const { db } = context
  const { node, configVersion } = await readGround(db, nodeId)
  if (node?.alive !== true) return { claim: null, configVersion }
  for (;;) {
    const next = await nextSuspect(db, now)
    if (next === undefined) return { claim: null, configVersion }
    const ref = next['endpoint'] as number
    const endpoint = (await context.endpoints.byRef(db, configVersion, [ref])).get(ref)
    if (endpoint === undefined) throw new Error(`endpoint ${ref} is referenced but missing`)
    const [row] = await takeSuspect(db, next['delivery'] as number, endpoint, { node: node.ref, now })
    if (row === undefined) return { claim: null, configVersion }
    if (row['end_as'] === null) return { claim: claimFrom(row, endpoint.id), configVersion }
    await endPicked(db, [row], now)
  }
}

/** Those first that were alone at most crashes. */
function nextSuspect(db: Session, now: number): Promise<Row | undefined> {
  return db.row(
    `SELECT q.delivery, q.endpoint FROM queue q JOIN endpoints p ON p.ref = q.endpoint
     WHERE q.suspect AND q.due_at <= $1 AND q.due_at IS NOT NULL AND p.status = $2 AND p.deleted_at IS NULL
     ORDER BY q.crashes_alone DESC, q.due_at, q.delivery LIMIT 1 FOR UPDATE OF q SKIP LOCKED`,
    ...[now, ENABLED],
  )
}

function takeSuspect(
  db: Session,
  delivery: number,
  endpoint: EndpointRef,
  { node, now }: Claimer,
): Promise<readonly Row[]> {
  return db.rows(
    `WITH asked AS (SELECT $4::integer AS grants),
     picked AS MATERIALIZED (
       SELECT 1 AS place, q.*, ${END_AS} AS end_as FROM asked, queue q WHERE q.delivery = $3),
     ${TAKE}
     ${CLAIMED}`,
    ...[node, now, delivery, endpoint.grants],
  )
}

function claimFrom(row: Row, endpointId: string): Claim {
  return {
    position: row['delivery'] as number,
    number: row['attempt_count'] as number,
    deliveryId: row['id'] as string,
    endpointId,
    tenantId: row['tenant_id'] as string,
    mode: modes.decode(row['mode']),
    eventId: row['event_id'] as string,
    eventType: row['type'] as string,
    runId: row['run_id'] as string | null,
    trigger: triggers.decode(row['trigger']),
    cycleStart: row['cycle_start'] as number,
    deadline: row['deadline'] as number | null,
    body: (row['own_body'] as Uint8Array | null) ?? joinBody(row['prefix'] as Uint8Array, row['data'] as Uint8Array),
    classes: row['classes'] as number,
    suspect: row['suspect'] as boolean,
    crashesAlone: row['crashes_alone'] as number,
  }
}
