import { createHash } from 'node:crypto'
import { MODES } from '@runbell/sdk/contract'
import { GENESIS, chainText } from '../../core/audit/audit-entry.ts'
import type { AuditRow } from '../audit.ts'
import type { Store } from '../store.ts'
import { MemoryKeys } from './keys.ts'
import { isWithin, pageOf } from './reading.ts'
import type { AuditState } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** The audit log. */
export class MemoryAudit extends MemoryKeys {
  /** The last entry that was pruned, by mode. */
  readonly #anchors = new Map<string, { seq: number; hash: string }>()

  appendAudit(input: Input<'appendAudit'>): Promise<void> {
    return this.verb('appendAudit', input, ({ entries }) => {
      for (const entry of entries) this.putOnRecord(entry)
    })
  }

  sealAudit(input: Input<'sealAudit'>): Promise<number> {
    return this.verb('sealAudit', input, ({ limit }) => {
      let sealed = 0
      for (const mode of MODES) {
        const own = this.audit.filter((row) => row.mode === mode)
        let head = own.findLast(({ seal }) => seal !== null)?.seal ??
          this.#anchors.get(mode) ?? { seq: 0, hash: GENESIS }
        for (const row of own.filter(({ seal }) => seal === null).slice(0, limit)) {
          const hash = createHash('sha256').update(chainText(head.hash, row.content)).digest('hex')
          row.seal = head = { seq: head.seq + 1, hash }
          sealed++
        }
      }
      return sealed
    })
  }

  listAudit(input: Input<'listAudit'>): Output<'listAudit'> {
    return this.verb('listAudit', input, ({ scope, filter, page }) => {
      const { actor, actions, target } = filter
      const found = this.audit.filter(
        (row) =>
          this.sees(scope, row) &&
          (actor === null || row.actor === actor) &&
          (target === null || row.target === target) &&
          (actions.length === 0 || actions.includes(row.action)) &&
          isWithin(filter, row.at),
      )
      return pageOf(found, page, rowOf)
    })
  }

  readAudit(input: Input<'readAudit'>): Output<'readAudit'> {
    return this.verb('readAudit', input, ({ scope, afterSeq, limit }) => {
      const sealed = this.audit.filter((row) => this.sees(scope, row) && (row.seal?.seq ?? 0) > afterSeq)
      return sealed.slice(0, limit).map(rowOf)
    })
  }

  pruneAudit(input: Input<'pruneAudit'>): Promise<number> {
    return this.verb('pruneAudit', input, ({ mode, before, limit, now }) => {
      const oldest = this.audit.filter((row) => row.mode === mode && row.seal !== null).slice(0, limit)
      const kept = oldest.findIndex(({ at }) => at >= before)
      const gone = new Set(kept === -1 ? oldest : oldest.slice(0, kept))
      const last = [...gone].at(-1)?.seal
      if (last === undefined || last === null) return 0
      this.#anchors.set(mode, last)
      this.audit = this.audit.filter((row) => !gone.has(row))
      this.putOnRecord({
        ...{ mode, tenantId: null, at: now, actor: 'system', action: 'audit.pruned', target: '', requestId: null },
        detail: { through_seq: last.seq, hash: last.hash, entries: gone.size },
      })
      return gone.size
    })
  }
}

function rowOf({ position, seal, content }: AuditState): AuditRow {
  return { position, seal, content }
}
