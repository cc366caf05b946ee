import type { AuditEntry } from '../core/audit/audit-entry.ts'
import type { Store } from '../store/store.ts'

/** Whoever looks again within this time is not put on record again: a page that refreshes itself would fill the log. */
export const AGAIN_MS = 15 * 60_000
/** Views that are remembered for that; the oldest go first. */
const MAX_REMEMBERED = 50_000
/** Views that wait to be put on record; above that, who looks waits too. */
const MAX_WAITING = 5000
/** Entries in one transaction. */
const BATCH = 1000

/** Who has looked at which event's payload, put on record in batches (details 27). */
export interface ViewLog {
  /**
   * Resolves at once, and late where many wait: an answer with a payload is given only when its view is on record or will
   * be within a second.
   * @throws StoreUnavailable where too many wait and none can be put on record
   */
  note(views: readonly View[]): Promise<void>
  /** Puts on record what waits. */
  flush(): Promise<void>
}

export type View = Omit<AuditEntry, 'action' | 'detail'>

export function createViewLog(store: Pick<Store, 'appendAudit'>): ViewLog {
  /** When each was last put on record, by who, whose, which. */
  const seen = new Map<string, number>()
  let waiting: AuditEntry[] = []
  let flushing: Promise<void> = Promise.resolve()

  function isNew(view: View): boolean {
    const key = JSON.stringify([view.mode, view.tenantId, view.actor, view.target])
    const last = seen.get(key)
    if (last !== undefined && view.at - last < AGAIN_MS) return false
    seen.delete(key)
    seen.set(key, view.at)
    if (seen.size > MAX_REMEMBERED) seen.delete(seen.keys().next().value as string)
    return true
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH)
      await store.appendAudit({ entries: batch })
      waiting = waiting.slice(batch.length)
    }
  }

  function flush(): Promise<void> {
    // One at a time, so that a batch that failed is not written beside its own repetition.
    flushing = flushing.catch(() => undefined).then(writeAll)
    return flushing
  }

  return {
    async note(views) {
      for (const view of views) if (isNew(view)) waiting.push({ ...view, action: 'payload.viewed', detail: {} })
      if (waiting.length > MAX_WAITING) await flush()
    },
    flush,
  }
}
