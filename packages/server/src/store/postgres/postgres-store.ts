import { randomUUID } from 'node:crypto'
import { tookEffect } from '../../core/audit/audit-entry.ts'
import type { AcceptBatch, AcceptResult } from '../accept.ts'
import type { Audited } from '../audit.ts'
import type { Store } from '../store.ts'
import { openDatabase, type Database, type DatabaseOptions } from './database.ts'
import type { Hint } from './hint-channel.ts'
import { HintListener } from './hint-listener.ts'
import { refuseUnfinishedMove } from './moving/unfinished-move.ts'
import { ownBytes } from './own-bytes.ts'
import { insertAudit } from './verbs/audit.ts'
import type { PostgresContext, Verbs } from './verbs/context.ts'
import { EndpointCache } from './verbs/endpoint-cache.ts'
import { findLoneRelay } from './verbs/relays.ts'
import { isAnyNodeDead } from './verbs/rescue-claims.ts'
import { transactionKindOf, VERBS } from './verbs/index.ts'
import { WakeSender } from './wake-sender.ts'

export interface PostgresStoreOptions extends DatabaseOptions {
  /**
   * Called with what other nodes tell, and with everything at once whenever the connection that listens is made anew. It only
   * ever shortens a wait. @default nobody listens, and no connection is made for it
   */
  onHint?: (hint: Hint) => void
}

/**
 * Opens a Postgres database, which any number of nodes may use at once, and brings its schema up to date.
 * @throws DatabaseUnusable with what to do about it
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const database = await openDatabase(options)
  await database.transaction('read', refuseUnfinishedMove).catch(async (error: unknown) => {
    await database.close()
    throw error
  })
  const self = randomUUID()
  const wakes = new WakeSender(database, self)
  const listener = options.onHint === undefined ? null : new HintListener(database, { self, onHint: options.onHint })
  const ground: Ground = { database, endpoints: new EndpointCache() }
  const verbs = (Object.keys(VERBS) as (keyof Verbs)[]).map((verb) => {
    return [verb, (input: unknown) => call(ground, verb, input)]
  })
  const store = Object.fromEntries(verbs) as Omit<Store, 'close'>
  return {
    ...store,
    async acceptEvents(batch) {
      const results = await store.acceptEvents(ownBytes(batch))
      if (leavesWaiting(batch, results)) wakes.wake()
      return results
    },
    async replayDeliveries(input) {
      const result = await store.replayDeliveries(input)
      if (Array.isArray(result) && result.some(({ status }) => status === 'pending')) wakes.wake()
      return result
    },
    async advanceBulkReplay(input) {
      const step = await store.advanceBulkReplay(input)
      if (step !== null && step.replayed > 0) wakes.wake()
      return step
    },
    async deliverBulkReplay(input) {
      const step = await store.deliverBulkReplay(input)
      if (step !== null && step !== 'stale' && step.replayed > 0) wakes.wake()
      return step
    },
    async rescueClaims(input) {
      const isNeeded = await database.transaction('read', (db) => isAnyNodeDead({ db }, input.nodeId))
      return isNeeded ? store.rescueClaims(input) : { rescued: [], ended: 0, more: false }
    },
    async dropRelays(input) {
      const alone = await database.transaction('read', (db) => findLoneRelay({ db }, input.before))
      return alone.isThere ? store.dropRelays(input) : { endpointIds: [], configVersion: alone.configVersion }
    },
    async close() {
      await Promise.all([listener?.close(), wakes.close()])
      await database.close()
    },
  }
}

/** Whether somebody else may have something to do now: what has been granted is this node's own. */
function leavesWaiting({ items }: AcceptBatch, results: readonly AcceptResult[]): boolean {
  return items.some(({ targets }, index) => results[index]?.kind === 'accepted' && targets.some(({ grant }) => !grant))
}

interface Ground {
  database: Database
  endpoints: EndpointCache
}

/** One transaction; what was changed is put on record in it. */
function call({ database, endpoints }: Ground, verb: keyof Verbs, input: unknown): Promise<unknown> {
  const work = VERBS[verb] as (context: PostgresContext, input: unknown) => Promise<unknown>
  return database.transaction(transactionKindOf(verb, input), async (db) => {
    const output = await work({ db, endpoints, lock: (name) => database.lock(name) }, input)
    const { audit } = input as Audited
    if (audit !== undefined && tookEffect(output)) for (const entry of audit) await insertAudit(db, entry)
    return output
  })
}
