import type { ApiKeyRow, CursorPage } from '../rows.ts'
import type { Store } from '../store.ts'
import { MemoryCatalog } from './catalog.ts'
import { pageOf } from './reading.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** API keys and the server's own secrets. */
export class MemoryKeys extends MemoryCatalog {
  /** A key that was revoked stays revoked: whoever puts it again at every start must not bring it back. */
  putApiKey(input: Input<'putApiKey'>): Output<'putApiKey'> {
    return this.verb('putApiKey', input, ({ key }) => {
      if (this.keys.has(key.id)) return { created: false, configVersion: this.configVersion }
      this.keys.set(key.id, { row: { ...key, position: this.nextPosition() }, revokedAt: null })
      return { created: true, configVersion: this.raiseConfigVersion() }
    })
  }

  findApiKey(input: Input<'findApiKey'>): Output<'findApiKey'> {
    return this.verb('findApiKey', input, ({ keyId }) => {
      const state = this.keys.get(keyId)
      const key = state === undefined || state.revokedAt !== null ? null : state.row
      return { key, configVersion: this.configVersion }
    })
  }

  listApiKeys(input: Input<'listApiKeys'>): Promise<CursorPage<ApiKeyRow>> {
    return this.verb('listApiKeys', input, ({ scope, page }) => {
      const valid = [...this.keys.values()].filter(({ row, revokedAt }) => revokedAt === null && this.sees(scope, row))
      return pageOf(
        valid.map(({ row }) => row),
        page,
        (row) => row,
      )
    })
  }

  revokeApiKey(input: Input<'revokeApiKey'>): Promise<boolean> {
    return this.verb('revokeApiKey', input, ({ scope, keyId, now }) => {
      const state = this.keys.get(keyId)
      if (state === undefined || state.revokedAt !== null || !this.sees(scope, state.row)) return false
      state.revokedAt = now
      this.raiseConfigVersion()
      return true
    })
  }

  touchApiKeys(input: Input<'touchApiKeys'>): Promise<void> {
    return this.verb('touchApiKeys', input, ({ uses }) => {
      for (const { keyId, at } of uses) {
        const row = this.keys.get(keyId)?.row
        if (row !== undefined) row.lastUsedAt = Math.max(row.lastUsedAt ?? 0, at)
      }
    })
  }

  serverSecret(input: Input<'serverSecret'>): Promise<Uint8Array> {
    return this.verb('serverSecret', input, ({ name, candidate }) => {
      const kept = this.serverSecrets.get(name) ?? candidate
      this.serverSecrets.set(name, kept)
      return kept
    })
  }
}
