import { MasterKeyError, type MasterKey } from './master-key.ts'

/** The master keys a server has now. The first wraps; the others are those it follows on. */
export class MasterKeys {
  readonly #read: () => Promise<MasterKey[]>
  #keys: MasterKey[] = []

  /** @param read where they are configured; asked again when they are rotated */
  constructor(read: () => Promise<MasterKey[]>) {
    this.#read = read
  }

  /** Reads them and uses them from now on. @throws MasterKeyError · the error of a file */
  async load(): Promise<void> {
    this.adopt(await this.read())
  }

  /** What is configured now, each key once; nothing is used yet: it may not fit what there is. @throws MasterKeyError · the error of a file */
  async read(): Promise<MasterKey[]> {
    const keys = await this.#read()
    return keys.filter(({ id }, index) => keys.findIndex((other) => other.id === id) === index)
  }

  adopt(keys: readonly MasterKey[]): void {
    this.#keys = [...keys]
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
