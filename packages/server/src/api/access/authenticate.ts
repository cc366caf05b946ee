import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { Store } from '../../store/store.ts'
import { refused, type Refused } from '../http/problem.ts'
import { hashApiKey, parseApiKey } from './api-key.ts'
import type { KeyUses } from './key-uses.ts'
import { principalOf, type Principal } from './principal.ts'

/** Finds out who asks. */
export interface Authenticator {
  /**
   * The holder of the key in an `Authorization: Bearer` header; `null` whatever is wrong with it, so that an answer
   * cannot tell a key that never was from one that is expired or revoked.
   * @throws StoreUnavailable
   */
  authenticate(authorization: string | null): Promise<Principal | null>
  /** Keys have changed here: the next request asks the store. */
  forget(): void
}

/** How long a key may be used after another node revoked it; here `forget` is called at once. */
export const KEY_CACHE_MS = 1000
/** Keys kept in memory; the one found longest ago goes first. */
const MAX_KEYS = 10_000
const BEARER = /^Bearer +([\x21-\x7e]{1,128})$/i
/** Compared with where there is no key, so that both cases take as long. */
const NO_HASH = new Uint8Array(32)

interface CachedKey {
  principal: Principal
  hash: Uint8Array
  expiresAt: number | null
  /** Monotonic. */
  foundAt: number
}

export function createAuthenticator(store: Store, clock: Clock, uses: KeyUses): Authenticator {
  const cache = new Map<string, CachedKey>()
  let generation = 0

  async function find(keyId: string): Promise<CachedKey | null> {
    const foundAt = clock.monotonic()
    const cached = cache.get(keyId)
    if (cached !== undefined && foundAt - cached.foundAt < KEY_CACHE_MS) return cached
    cache.delete(keyId)
    const asked = generation
    const { key } = await store.findApiKey({ keyId })
    if (key === null) return null
    const found = { principal: principalOf(key), hash: key.hash, expiresAt: key.expiresAt, foundAt }
    // An answer that was under way while a key was revoked may be the state before it.
    if (asked === generation) {
      if (cache.size >= MAX_KEYS) cache.delete(cache.keys().next().value as string)
      cache.set(keyId, found)
    }
    return found
  }

  return {
    async authenticate(authorization) {
      const text = BEARER.exec(authorization ?? '')?.[1]
      const parsed = text === undefined ? null : parseApiKey(text)
      if (parsed === null) return null
      const key = await find(parsed.id)
      const same = timingSafeEqual(hashApiKey(text as string), key?.hash ?? NO_HASH)
      if (key === null || !same) return null
      const now = clock.now()
      if (key.expiresAt !== null && key.expiresAt <= now) return null
      uses.note(parsed.id, now)
      return key.principal
    },

    forget() {
      generation++
      cache.clear()
    },
  }
}

/** One answer for every reason a key is not accepted. */
export function unauthenticated(): Refused {
  const detail = 'The Authorization header has no API key that is valid here.'
  return refused('unauthenticated', detail, 'Send the header Authorization: Bearer rb_… with a key of this server.')
}
