import type { AuditEntry } from '../core/audit/audit-entry.ts'
import type { Store } from '../store/store.ts'
import { MasterKeyError, type MasterKey } from './master-key.ts'
import { unwrap, wrap, wrongMasterKey, type DataKeysOptions } from './data-keys.ts'

export interface Rotated {
  /** The master key that wraps everything now. */
  masterKeyId: string
  /** Data keys that were wrapped anew. */
  rewrapped: number
  /** Master keys that nothing needs any more. */
  retired: string[]
}

/** Data keys in one transaction. */
const BATCH = 500

/**
 * Wraps every data key with the first of the master keys that are configured now. What the data keys seal is not touched, so whoever
 * seals, opens and sends goes on. A crash leaves some keys under the old and some under the new master key, both of which are
 * configured; rotating again finishes it.
 * @throws MasterKeyError before anything is changed, where a data key is wrapped by a master key that is not configured
 */
export async function rotateMasterKey(
  options: Omit<DataKeysOptions, 'onTrouble'>,
  audit: readonly AuditEntry[],
): Promise<Rotated> {
  const { store, masterKeys, random, clock } = options
  const configured = await masterKeys.read()
  await checkAll(store, configured)
  masterKeys.adopt(configured)
  const { active } = masterKeys
  let rewrapped = 0
  let onRecord = audit
  for (let after: string | null = null; ;) {
    const rows = await store.listDataKeys({ after, limit: BATCH })
    const old = rows.filter(({ masterKeyId }) => masterKeyId !== active.id)
    const keys = old.map((row) => {
      const master = masterKeys.byId(row.masterKeyId)
      if (master === null) throw wrongMasterKey(row.masterKeyId, masterKeys, row.owner)
      const { wrapped } = wrap(active, row.owner, unwrap(master, row), { random, now: clock.now() })
      return { owner: row.owner, from: row.masterKeyId, wrapped, masterKeyId: active.id }
    })
    if (keys.length > 0) {
      rewrapped += await store.rewrapDataKeys({ keys, audit: onRecord })
      onRecord = []
    }
    after = rows.at(-1)?.owner ?? null
    if (after === null || rows.length < BATCH) break
  }
  if (rewrapped === 0) await store.appendAudit({ entries: audit })
  return { masterKeyId: active.id, rewrapped, retired: masterKeys.ids.slice(1) }
}

/** Nothing is used of what is configured before it is known to fit everything. */
async function checkAll(store: Store, configured: readonly MasterKey[]): Promise<void> {
  const ids = configured.map(({ id }) => id)
  if (ids.length === 0) throw new MasterKeyError('there is no master key')
  for (let after: string | null = null; ;) {
    const rows = await store.listDataKeys({ after, limit: BATCH })
    const foreign = rows.find(({ masterKeyId }) => !ids.includes(masterKeyId))
    if (foreign !== undefined) throw wrongMasterKey(foreign.masterKeyId, { ids }, foreign.owner)
    after = rows.at(-1)?.owner ?? null
    if (after === null || rows.length < BATCH) return
  }
}
