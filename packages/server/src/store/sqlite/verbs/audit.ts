import { createHash } from 'node:crypto'
import { MODES, type Mode } from '@runbell/sdk/contract'
import { GENESIS, auditContent, chainText, type AuditEntry } from '../../../core/audit/audit-entry.ts'
import type { AuditRow } from '../../audit.ts'
import type { Store } from '../../store.ts'
import { modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { Where, collectPage } from './where.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = Awaited<ReturnType<Store[Verb]>>

export function insertAudit(db: Database, entry: AuditEntry): void {
  db.prepare(
    'INSERT INTO audit (mode, tenant_id, at, actor, action, target, content) VALUES (?, ?, ?, ?, ?, ?, ?)',
  ).run(
    modes.encode(entry.mode),
    entry.tenantId,
    entry.at,
    entry.actor,
    entry.action,
    entry.target,
    auditContent(entry),
  )
}

export function appendAudit({ db }: SqliteContext, { entries }: Input<'appendAudit'>): void {
  for (const entry of entries) insertAudit(db, entry)
}

export function sealAudit({ db }: SqliteContext, { limit }: Input<'sealAudit'>): number {
  return MODES.reduce((sealed, mode) => sealed + sealMode(db, mode, limit), 0)
}

function sealMode(db: Database, mode: Mode, limit: number): number {
  const code = modes.encode(mode)
  const waiting = db
    .prepare('SELECT position, content FROM audit WHERE mode = ? AND seq IS NULL ORDER BY position LIMIT ?')
    .all(code, limit) as Row[]
  if (waiting.length === 0) return 0
  let { seq, hash } = headOf(db, code)
  const seal = db.prepare('UPDATE audit SET seq = ?, hash = ? WHERE position = ?')
  for (const row of waiting) {
    seq += 1
    hash = sha256(chainText(hash, row['content'] as string))
    seal.run(seq, hash, row['position'] as number)
  }
  return waiting.length
}

function headOf(db: Database, mode: number): { seq: number; hash: string } {
  const last =
    db.prepare('SELECT seq, hash FROM audit WHERE mode = ? AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1').get(mode) ??
    db.prepare('SELECT seq, hash FROM audit_anchors WHERE mode = ?').get(mode)
  return last === undefined ? { seq: 0, hash: GENESIS } : (last as { seq: number; hash: string })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function listAudit({ db }: SqliteContext, { scope, filter, page }: Input<'listAudit'>): Output<'listAudit'> {
  const where = new Where().scope('audit', scope).before('position', page.after)
  if (filter.actor !== null) where.and('actor = ?', filter.actor)
  if (filter.target !== null) where.and('target = ?', filter.target)
  if (filter.actions.length > 0) {
    where.and(`action IN (SELECT value FROM json_each(?))`, JSON.stringify(filter.actions))
  }
  const { since, until } = filter
  const rows = db
    .prepare(`SELECT position, at, seq, hash, content FROM audit ${where.text} ORDER BY position DESC`)
    .iterate(...where.values) as Iterable<Row>
  const isWithin = (row: Row) =>
    (since === null || (row['at'] as number) >= since) && (until === null || (row['at'] as number) < until)
  const found = collectPage(rows, page.limit, isWithin)
  return { rows: found.rows.map(rowFrom), next: found.next }
}

export function readAudit({ db }: SqliteContext, { scope, afterSeq, limit }: Input<'readAudit'>): AuditRow[] {
  const where = new Where().scope('audit', scope).and('seq > ?', afterSeq)
  const rows = db
    .prepare(`SELECT position, seq, hash, content FROM audit ${where.text} ORDER BY seq LIMIT ?`)
    .all(...where.values, limit) as Row[]
  return rows.map(rowFrom)
}

export function pruneAudit({ db }: SqliteContext, { mode, before, limit, now }: Input<'pruneAudit'>): number {
  const code = modes.encode(mode)
  const oldest = db
    .prepare('SELECT seq, hash, at FROM audit WHERE mode = ? AND seq IS NOT NULL ORDER BY seq LIMIT ?')
    .all(code, limit) as { seq: number; hash: string; at: number }[]
  const kept = oldest.findIndex(({ at }) => at >= before)
  const count = kept === -1 ? oldest.length : kept
  const last = oldest[count - 1]
  if (last === undefined) return 0
  db.prepare(
    `INSERT INTO audit_anchors VALUES (?, ?, ?) ON CONFLICT (mode) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`,
  ).run(code, last.seq, last.hash)
  db.prepare('DELETE FROM audit WHERE mode = ? AND seq <= ?').run(code, last.seq)
  insertAudit(db, {
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
