import type { DataKeyRow } from '../data-keys.ts'
import type { PublicKeyRow } from '../rows.ts'
import type { Store } from '../store.ts'
import { MemoryRetention } from './retention.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

/** The keys that seal secrets, and the public ones that receivers verify with. */
export class MemoryDataKeys extends MemoryRetention {
  readonly #dataKeys = new Map<string, DataKeyRow>()

  putDataKey(input: Input<'putDataKey'>): Promise<DataKeyRow> {
    return this.verb('putDataKey', input, ({ key }) => {
      const kept = this.#dataKeys.get(key.owner) ?? key
      this.#dataKeys.set(key.owner, kept)
      return kept
    })
  }

  findDataKeys(input: Input<'findDataKeys'>): Promise<DataKeyRow[]> {
    return this.verb('findDataKeys', input, ({ owners }) =>
      [...this.#dataKeys.values()].filter(({ owner }) => owners.includes(owner)),
    )
  }

  listDataKeys(input: Input<'listDataKeys'>): Promise<DataKeyRow[]> {
    return this.verb('listDataKeys', input, ({ after, limit }) => {
      const rest = [...this.#dataKeys.values()].filter(({ owner }) => owner > (after ?? ''))
      return rest.toSorted((a, b) => (a.owner < b.owner ? -1 : 1)).slice(0, limit)
    })
  }

  rewrapDataKeys(input: Input<'rewrapDataKeys'>): Promise<number> {
    return this.verb('rewrapDataKeys', input, ({ keys }) => {
      let changed = 0
      for (const { owner, from, wrapped, masterKeyId } of keys) {
        const key = this.#dataKeys.get(owner)
        if (key?.masterKeyId !== from) continue
        this.#dataKeys.set(owner, { ...key, wrapped, masterKeyId })
        changed++
      }
      return changed
    })
  }

  replaceServerSecret(input: Input<'replaceServerSecret'>): Promise<boolean> {
    return this.verb('replaceServerSecret', input, ({ name, from, to }) => {
      const kept = this.serverSecrets.get(name)
      if (kept === undefined || Buffer.compare(kept, from) !== 0) return false
      this.serverSecrets.set(name, to)
      return true
    })
  }

  listPublicKeys(input: Input<'listPublicKeys'>): Promise<PublicKeyRow[]> {
    return this.verb('listPublicKeys', input, ({ endpointId, now, limit }) => {
      const rows = this.living().filter(
        ({ row }) => row.signing !== 'hmac' && (endpointId === null || row.id === endpointId),
      )
      const secrets = rows.flatMap(({ row }) => row.secrets)
      const signing = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
      const found = signing.flatMap(({ id, publicKey }) => (publicKey === null ? [] : [{ secretId: id, publicKey }]))
      return found.toSorted((a, b) => (a.secretId < b.secretId ? 1 : -1)).slice(0, limit)
    })
  }
}
