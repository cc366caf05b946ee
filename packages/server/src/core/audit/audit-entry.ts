import type { AuditAction, Mode } from '@runbell/sdk/contract'

/** Something that was done or looked at, as it is put on record. Never with a secret, a key or a payload in it. */
export interface AuditEntry {
  mode: Mode
  /** Whose matter it is; `null`: that of all tenants. */
  tenantId: string | null
  /** Service time, ms. */
  at: number
  /** The id of an API key, or `system`, `cli`, `config`. */
  actor: string
  action: AuditAction
  /** The id of what was changed or looked at. */
  target: string
  /** What exactly, in the words of the API. */
  detail: Record<string, unknown>
  /** Of the HTTP request, to be found in the log. */
  requestId: string | null
}

/** The hash that the first entry of a chain goes on from. */
export const GENESIS = '0'.repeat(64)

/**
 * An entry as the text that is stored, hashed and shown: one text for ever, so that whoever has it can check the hash
 * without knowing how it came about.
 */
export function auditContent(entry: AuditEntry): string {
  return JSON.stringify({
    at: new Date(entry.at).toISOString(),
    actor: entry.actor,
    action: entry.action,
    target: entry.target,
    tenant_id: entry.tenantId,
    mode: entry.mode,
    detail: entry.detail,
    request_id: entry.requestId,
  })
}

/** Whose SHA-256, in hex, is an entry's hash. @param previous the hash of the entry before it */
export function chainText(previous: string, content: string): string {
  return `${previous}\n${content}`
}

/** An entry as a line of the API's answer; `null`: it has no place in the chain yet. */
export function auditLine(seal: { seq: number; hash: string } | null, content: string): string {
  return `{"seq":${seal?.seq ?? 'null'},"hash":${seal === null ? 'null' : `"${seal.hash}"`},${content.slice(1)}`
}

/**
 * Whether what a verb of the store answered means that something was changed: only then is it put on record. The words are
 * those with which verbs say that they did nothing.
 */
export function tookEffect(output: unknown): boolean {
  if (output === null || output === undefined || output === false) return false
  if (output === 'policy_changed' || output === 'stale' || output === 'erased') return false
  if (Array.isArray(output)) return output.length > 0
  if (typeof output !== 'object') return true
  if ('kind' in output) return output.kind === 'kept' || output.kind === 'created'
  return !('created' in output) || output.created !== false
}
