import type { AuditAction, Mode } from '@runbell/sdk/contract'
import type { AuditEntry } from '../core/audit/audit-entry.ts'

/** What a verb that changes something is given besides: put on record in the same transaction, if it changed anything. */
export interface Audited {
  audit?: readonly AuditEntry[]
}

export interface AuditFilter {
  actor: string | null
  actions: AuditAction[]
  target: string | null
  /** At or after. */
  since: number | null
  /** Before. */
  until: number | null
}

export interface AuditRow {
  /** Commit order. */
  position: number
  /** Its place in the chain of its mode, from 1; `null`: it is a moment old. */
  seal: { seq: number; hash: string } | null
  /** See `auditContent`. */
  content: string
}

/** The record of what was done: append-only, and chained by hashes per mode (details 27). */
export interface AuditVerbs {
  /** For what changes nothing in the store, such as looking at payloads. */
  appendAudit(input: { entries: readonly AuditEntry[] }): Promise<void>
  /** Gives entries their places in the chain, in commit order, at most `limit` of each mode. Returns how many got one. */
  sealAudit(input: { limit: number }): Promise<number>
  /** Newest first. */
  listAudit(input: {
    scope: { mode: Mode; tenantId: string | null }
    filter: AuditFilter
    page: { limit: number; after: number | null }
  }): Promise<{ rows: AuditRow[]; next: number | null }>
  /** Entries in the order of the chain, with a place after `afterSeq`; those without one are left out. */
  readAudit(input: {
    scope: { mode: Mode; tenantId: string | null }
    afterSeq: number
    limit: number
  }): Promise<AuditRow[]>
  /**
   * Removes entries that are older than `before`, oldest first, at most `limit`, and none without a place in the chain. The
   * hash of the last one stays, in an entry `audit.pruned` from which the chain can be checked. Returns how many went.
   */
  pruneAudit(input: { mode: Mode; before: number; limit: number; now: number }): Promise<number>
}
