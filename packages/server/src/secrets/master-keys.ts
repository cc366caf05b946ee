import { MasterKeyError, type MasterKey } from './master-key.ts'

/** The master keys a server has now. The first wraps; the others are those it follows on. */
export class MasterKeys {
  readonly #read: () => Promise<MasterKey[]>
  #keys: MasterKey[] = []
  #reading: Promise<void> | null = null

  /** @param read where they are configured; asked again when they are rotated */
  constructor(read: () => Promise<MasterKey[]>) {
    this.#read = read
  }

  /** Reads them, again; all who ask meanwhile share one reading. @throws MasterKeyError · the error of a file */
  async load(): Promise<void> {
    this.#reading ??= this.#read()
      .then((keys) => void (this.#keys = keys))
      .finally(() => (this.#reading = null))
    await this.#reading
  }

  get active(): MasterKey {
    const [active] = this.#keys
    if (active === undefined) throw new MasterKeyError('there is no master key')
    return active
  }

  get ids(): string[] {
    return this.#keys.map(({ id }) => id)
  }

  byId(id: string): MasterKey | null {
    return this.#keys.find((key) => key.id === id) ?? null
  }
}
