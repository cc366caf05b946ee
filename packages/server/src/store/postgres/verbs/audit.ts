import { createHash } from 'node:crypto'
import { MODES, type Mode } from '@runbell/sdk/contract'
import { GENESIS, auditContent, chainText, type AuditEntry } from '../../../core/audit/audit-entry.ts'
import type { AuditRow } from '../../audit.ts'
import { modes } from '../../codes.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { Where, collectPage, pageOf } from './where.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = Awaited<ReturnType<Store[Verb]>>

export async function insertAudit(db: Session, ...entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return
  await db.run(
    `INSERT INTO audit (mode, tenant_id, at, actor, action, target, content)
     SELECT mode, tenant_id, at, actor, action, target, content
     FROM unnest($1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
       AS entry (mode, tenant_id, at, actor, action, target, content, place) ORDER BY place`,
    entries.map(({ mode }) => modes.encode(mode)),
    entries.map(({ tenantId }) => tenantId),
    entries.map(({ at }) => at),
    entries.map(({ actor }) => actor),
    entries.map(({ action }) => action),
    entries.map(({ target }) => target),
    entries.map(auditContent),
  )
}

export async function appendAudit({ db }: PostgresContext, { entries }: Input<'appendAudit'>): Promise<void> {
  await insertAudit(db, ...entries)
}

export async function sealAudit(context: PostgresContext, { limit }: Input<'sealAudit'>): Promise<number> {
  await holdChains(context)
  let sealed = 0
  for (const mode of MODES) sealed += await sealMode(context.db, mode, limit)
  return sealed
}

/** Of several nodes one at a time gives places in the chains, or takes the oldest away; each sees what the one before it did. */
async function holdChains({ db, lock }: PostgresContext): Promise<void> {
  await db.rows('SELECT pg_advisory_xact_lock($1, $2)', ...lock('sealing'))
}

async function sealMode(db: Session, mode: Mode, limit: number): Promise<number> {
  const code = modes.encode(mode)
  const waiting = await db.rows(
    'SELECT position, content FROM audit WHERE mode = $1 AND seq IS NULL ORDER BY position LIMIT $2',
    ...[code, limit],
  )
  if (waiting.length === 0) return 0
  const head = await headOf(db, code)
  let hash = head.hash
  const hashes = waiting.map((row) => (hash = sha256(chainText(hash, row['content'] as string))))
  await db.run(
    `UPDATE audit SET seq = place.seq, hash = place.hash
     FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS place (position, seq, hash) WHERE audit.position = place.position`,
    waiting.map((row) => row['position'] as number),
    hashes.map((_, index) => head.seq + 1 + index),
    hashes,
  )
  return waiting.length
}

async function headOf(db: Session, mode: number): Promise<{ seq: number; hash: string }> {
  const last =
    (await db.row('SELECT seq, hash FROM audit WHERE mode = $1 AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1', mode)) ??
    (await db.row('SELECT seq, hash FROM audit_anchors WHERE mode = $1', mode))
  return last === undefined ? { seq: 0, hash: GENESIS } : (last as { seq: number; hash: string })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export async function listAudit(
  { db }: PostgresContext,
  { scope, filter, page }: Input<'listAudit'>,
): Promise<Output<'listAudit'>> {
  const { since, until } = filter
  const select = (after: number | null, limit: number) => {
    const where = new Where().scope('audit', scope).before('position', after)
    if (filter.actor !== null) where.and('actor = ?', filter.actor)
    if (filter.target !== null) where.and('target = ?', filter.target)
    if (filter.actions.length > 0) where.and('action = ANY(?)', filter.actions)
    return db.rows(
      `SELECT position, at, seq, hash, content FROM audit ${where.text} ORDER BY position DESC LIMIT ${where.place(limit)}`,
      ...where.values,
    )
  }
  if (since === null && until === null) {
    const found = pageOf(await select(page.after, page.limit + 1), page.limit)
    return { rows: found.rows.map(rowFrom), next: found.next }
  }
  const isWithin = (row: Row) =>
    (since === null || (row['at'] as number) >= since) && (until === null || (row['at'] as number) < until)
  const found = await collectPage(page, select, isWithin)
  const rows = await db.rows(
    'SELECT position, seq, hash, content FROM audit WHERE position = ANY($1) ORDER BY position DESC',
    found.positions,
  )
  return { rows: rows.map(rowFrom), next: found.next }
}

export async function readAudit(
  { db }: PostgresContext,
  { scope, afterSeq, limit }: Input<'readAudit'>,
): Promise<AuditRow[]> {
  const where = new Where().scope('audit', scope).and('seq > ?', afterSeq)
  const rows = await db.rows(
    `SELECT position, seq, hash, content FROM audit ${where.text} ORDER BY seq LIMIT ${where.place(limit)}`,
    ...where.values,
  )
  return rows.map(rowFrom)
}

export async function pruneAudit(
  context: PostgresContext,
  { mode, before, limit, now }: Input<'pruneAudit'>,
): Promise<number> {
  const { db } = context
  await holdChains(context)
  const code = modes.encode(mode)
  const oldest = (await db.rows(
    'SELECT seq, hash, at FROM audit WHERE mode = $1 AND seq IS NOT NULL ORDER BY seq LIMIT $2',
    ...[code, limit],
  )) as { seq: number; hash: string; at: number }[]
  const kept = oldest.findIndex(({ at }) => at >= before)
  const count = kept === -1 ? oldest.length : kept
  const last = oldest[count - 1]
  if (last === undefined) return 0
  await db.run(
    `INSERT INTO audit_anchors VALUES ($1, $2, $3)
     ON CONFLICT (mode) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`,
    ...[code, last.seq, last.hash],
  )
  await db.run('DELETE FROM audit WHERE mode = $1 AND seq <= $2', code, last.seq)
  await insertAudit(db, {
    ...{ mode, tenantId: null, at: now, actor: 'system', action: 'audit.pruned', target: '', requestId: null },
    detail: { through_seq: last.seq, hash: last.hash, entries: count },
  })
  return count
}

function rowFrom(row: Row): AuditRow {
  const { position, seq, hash, content } = row as unknown as {
    position: number
    seq: number | null
    hash: string
    content: string
  }
  return { position, seal: seq === null ? null : { seq, hash }, content }
}
