import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Clock, RandomSource } from '../core/clock.ts'
import type { DataKeyRow } from '../store/data-keys.ts'
import type { Store } from '../store/store.ts'
import { MasterKeyError, type MasterKey } from './master-key.ts'
import type { MasterKeys } from './master-keys.ts'
import { open, seal } from './seal.ts'

export interface DataKeysOptions {
  store: Store
  masterKeys: MasterKeys
  random: RandomSource
  clock: Pick<Clock, 'now'>
  /** Something does not open; the message says what and whose, never what is in it. */
  onTrouble(error: Error): void
}

const DATA_KEY_BYTES = 32
/** Owners whose keys are kept in memory: those of all tenants of most servers. */
const MAX_KEPT = 100_000

/** The keys that seal, one for each owner, unwrapped when they are first asked for and kept. */
export class DataKeys {
  readonly #options: DataKeysOptions
  readonly #kept = new Map<string, KeyObject>()

  constructor(options: DataKeysOptions) {
    this.#options = options
  }

  /** The owner's key; a new one where it has none. @throws MasterKeyError · StoreUnavailable */
  async keyOf(owner: string): Promise<KeyObject> {
    const [known] = (await this.find([owner])).values()
    if (known !== undefined) return known
    const { store, masterKeys, random, clock } = this.#options
    const row = wrap(masterKeys.active, owner, random.bytes(DATA_KEY_BYTES), { random, now: clock.now() })
    // Two may make one at once: both go on with the one that is kept.
    const kept = await store.putDataKey({ key: row })
    const key = await this.#keep(kept)
    // The master key was rotated meanwhile, and nobody saw this one.
    if (kept.masterKeyId !== masterKeys.active.id) await this.#rewrap(kept)
    return key
  }

  /** Those of these owners that there are. @throws MasterKeyError · StoreUnavailable */
  async find(owners: readonly string[]): Promise<Map<string, KeyObject>> {
    const missing = owners.filter((owner) => !this.#kept.has(owner))
    if (missing.length > 0) {
      for (const row of await this.#options.store.findDataKeys({ owners: missing })) await this.#tryToKeep(row)
    }
    const found = owners.map((owner) => [owner, this.#kept.get(owner)] as const)
    return new Map(found.filter((entry): entry is [string, KeyObject] => entry[1] !== undefined))
  }

  /** One that cannot be unwrapped is told of, and is nobody else's trouble. */
  async #tryToKeep(row: DataKeyRow): Promise<void> {
    try {
      await this.#keep(row)
    } catch (error) {
      if (!(error instanceof MasterKeyError)) throw error
      this.#options.onTrouble(error)
    }
  }

  async #keep(row: DataKeyRow): Promise<KeyObject> {
    const key = createSecretKey(unwrap(await this.#masterOf(row), row))
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    this.#kept.set(row.owner, key)
    return key
  }

  async #rewrap(row: DataKeyRow): Promise<void> {
    const { store, masterKeys, random, clock } = this.#options
    const bytes = unwrap(await this.#masterOf(row), row)
    const { wrapped, masterKeyId } = wrap(masterKeys.active, row.owner, bytes, { random, now: clock.now() })
    await store.rewrapDataKeys({ keys: [{ owner: row.owner, from: row.masterKeyId, wrapped, masterKeyId }] })
  }

  /** A key that nobody has told us of may have been configured since: another node rotated. */
  async #masterOf({ masterKeyId, owner }: DataKeyRow): Promise<MasterKey> {
    const { masterKeys } = this.#options
    const known = masterKeys.byId(masterKeyId)
    if (known !== null) return known
    const configured = await masterKeys.read()
    const found = configured.find(({ id }) => id === masterKeyId)
    if (found === undefined) throw wrongMasterKey(masterKeyId, masterKeys, owner)
    // Only with the one that wraps now among them: what is there stays open.
    if (configured.some(({ id }) => id === masterKeys.active.id)) masterKeys.adopt(configured)
    return found
  }
}

export function wrongMasterKey(needed: string, { ids }: { ids: readonly string[] }, owner: string): MasterKeyError {
  return new MasterKeyError(
    `the master key does not fit this database: what it keeps for ${owner} was sealed with the master key ${needed}, ` +
      `and given is ${ids.join(', ')}`,
  )
}

/** @param bytes the data key */
export function wrap(
  master: MasterKey,
  owner: string,
  bytes: Uint8Array,
  { random, now }: { random: RandomSource; now: number },
): DataKeyRow {
  const wrapped = seal(master.key, contextOf(owner, master.id), bytes, random)
  return { owner, wrapped, masterKeyId: master.id, createdAt: now }
}

/** @throws MasterKeyError where the row is not what was wrapped */
export function unwrap(master: MasterKey, { owner, wrapped, masterKeyId }: DataKeyRow): Uint8Array {
  try {
    return open(master.key, contextOf(owner, masterKeyId), wrapped)
  } catch {
    throw new MasterKeyError(`the data key of ${owner} is damaged: restore the database from a backup`)
  }
}

function contextOf(owner: string, masterKeyId: string): string[] {
  return ['data key', owner, masterKeyId]
}
