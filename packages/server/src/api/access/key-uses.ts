import type { Store } from '../../store/store.ts'

/** `last_used_at` is exact to so many ms: a key that is used all the time is written once a minute. */
export const USE_PRECISION_MS = 60_000
/** Keys that are remembered; the one noted longest ago goes first. */
const MAX_KEYS = 10_000

/** When keys were last used, put on record in batches: no request waits for it. */
export interface KeyUses {
  note(keyId: string, now: number): void
  /** Puts on record what is new. */
  flush(): Promise<void>
}

export function createKeyUses(store: Pick<Store, 'touchApiKeys'>): KeyUses {
  const noted = new Map<string, number>()
  let fresh = new Map<string, number>()

  return {
    note(keyId, now) {
      const last = noted.get(keyId)
      if (last !== undefined && now - last < USE_PRECISION_MS) return
      noted.delete(keyId)
      noted.set(keyId, now)
      if (noted.size > MAX_KEYS) noted.delete(noted.keys().next().value as string)
      fresh.set(keyId, now)
    },

    async flush() {
      if (fresh.size === 0) return
      const uses = [...fresh].map(([keyId, at]) => ({ keyId, at }))
      fresh = new Map()
      try {
        await store.touchApiKeys({ uses })
      } catch (error) {
        // What has been noted since is newer.
        fresh = new Map([...uses.map(({ keyId, at }): [string, number] => [keyId, at]), ...fresh])
        throw error
      }
    },
  }
}
