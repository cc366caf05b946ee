import type { Store } from '../store/store.ts'
import type { ViewLog } from './view-log.ts'

/** Entries in one transaction; two modes are sealed in one step. */
const BATCH = 1000

/** Puts views on record and gives every entry its place in the chain. Returns how many got one. */
export async function sealAll(store: Pick<Store, 'sealAudit'>, views: ViewLog): Promise<{ sealed: number }> {
  await views.flush()
  let sealed = 0
  for (;;) {
    const done = await store.sealAudit({ limit: BATCH })
    sealed += done
    if (done < BATCH) return { sealed }
  }
}
