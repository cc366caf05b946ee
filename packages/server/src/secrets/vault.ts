import type { KeyObject } from 'node:crypto'
import type { Mode } from '@runbell/sdk/contract'
import type { RandomSource } from '../core/clock.ts'
import { isSealed } from '../core/sealed-text.ts'
import { Secret } from '../core/secret.ts'
import type { EndpointRow, SecretRow } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { DataKeys, wrongMasterKey, type DataKeysOptions } from './data-keys.ts'
import type { OpenEndpoint, OpenSecret } from './open-endpoint.ts'
import { open, seal, sealedBytes, sealedText } from './seal.ts'

/** Whose a secret is. */
export type SecretOwner = Pick<EndpointRow, 'id' | 'mode' | 'tenantId'>

/** What the server seals for itself. */
const SERVER = 'server'
const PAGE = 1000

/**
 * Seals what must not be read in the database, a backup or a log, and opens it for those who need it: secrets that sign, values of
 * an endpoint's own headers, and the server's own keys. What is sealed is bound to its place: in another row it does not open.
 */
export class Vault {
  readonly #store: Store
  readonly #random: RandomSource
  readonly #keys: DataKeys
  readonly #options: DataKeysOptions

  constructor(options: DataKeysOptions) {
    this.#options = options
    this.#store = options.store
    this.#random = options.random
    this.#keys = new DataKeys(options)
  }

  /** Loads the master key, unless that was done. @throws MasterKeyError where it does not fit the database: before anything is opened or sent */
  async unlock(): Promise<void> {
    const { masterKeys } = this.#options
    if (masterKeys.ids.length === 0) await masterKeys.load()
    for (let after: string | null = null; ;) {
      const rows = await this.#store.listDataKeys({ after, limit: PAGE })
      const foreign = rows.find(({ masterKeyId }) => masterKeys.byId(masterKeyId) === null)
      if (foreign !== undefined) throw wrongMasterKey(foreign.masterKeyId, masterKeys, foreign.owner)
      after = rows.at(-1)?.owner ?? null
      if (after === null || rows.length < PAGE) break
    }
    await this.#keys.keyOf(SERVER)
  }

  async sealSecret(owner: SecretOwner, { id, kind }: Pick<SecretRow, 'id' | 'kind'>, clear: string): Promise<string> {
    return this.#seal(await this.#keys.keyOf(ownerOf(owner)), secretContext(owner, id, kind), clear)
  }

  /** Values of an endpoint's own headers. */
  async sealHeaders(owner: SecretOwner, clear: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    if (Object.keys(clear).length === 0) return {}
    const key = await this.#keys.keyOf(ownerOf(owner))
    return mapValues(clear, (value, name) => this.#seal(key, headerContext(owner, name), value))
  }

  /** Endpoints as delivery needs them, without secrets that have expired; one that does not open is told of and cannot be sent to. @throws StoreUnavailable */
  async open(endpoints: readonly EndpointRow[]): Promise<OpenEndpoint[]> {
    const keys = await this.#keys.find([...new Set(endpoints.map(ownerOf))])
    const now = this.#options.clock.now()
    return endpoints.map((endpoint) => {
      try {
        return openWith(keys.get(ownerOf(endpoint)), endpoint, now)
      } catch {
        this.#options.onTrouble(
          new Error(`the secrets of ${endpoint.id} do not open: they are not what was sealed for it`),
        )
        return { ...endpoint, secrets: null, headers: {} }
      }
    })
  }

  /** The server's own secret of this name; `candidate` is kept if there was none. One from before sealing is sealed now. */
  async serverSecret(name: string, candidate: Uint8Array): Promise<Uint8Array> {
    const key = await this.#keys.keyOf(SERVER)
    const context = ['server secret', name]
    const sealed = (clear: Uint8Array) => Buffer.from(sealedText(seal(key, context, clear, this.#random)))
    const kept = Buffer.from(await this.#store.serverSecret({ name, candidate: sealed(candidate) }))
    if (isSealed(kept.toString('latin1'))) return open(key, context, sealedBytes(kept.toString('latin1')))
    await this.#store.replaceServerSecret({ name, from: kept, to: sealed(kept) })
    return new Uint8Array(kept)
  }

  #seal(key: KeyObject, context: string[], clear: string): string {
    return sealedText(seal(key, context, Buffer.from(clear), this.#random))
  }
}

function openWith(key: KeyObject | undefined, endpoint: EndpointRow, now: number): OpenEndpoint {
  const opened = (context: string[], text: string): Secret => {
    if (key === undefined) throw new Error('there is no key')
    return new Secret(Buffer.from(open(key, context, sealedBytes(text))).toString())
  }
  const active = endpoint.secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
  const secrets = active.map((row): OpenSecret => {
    return { ...row, value: opened(secretContext(endpoint, row.id, row.kind), row.value) }
  })
  return {
    ...endpoint,
    secrets,
    headers: mapValues(endpoint.headers, (value, name) => opened(headerContext(endpoint, name), value)),
  }
}

function ownerOf({ mode, tenantId }: { mode: Mode; tenantId: string }): string {
  return `${mode}/${tenantId}`
}

function secretContext({ mode, tenantId, id: endpointId }: SecretOwner, id: string, kind: string): string[] {
  return ['signing secret', mode, tenantId, endpointId, id, kind]
}

function headerContext({ mode, tenantId, id: endpointId }: SecretOwner, name: string): string[] {
  return ['header', mode, tenantId, endpointId, name]
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
}
