export interface PlacesOptions {
  /** At once. */
  most: number
  /** Of them, of one key: one that holds them for long leaves some to others. */
  mostOfOne: number
}

/** A number of places that are taken and given back. */
export class Places {
  readonly #options: PlacesOptions
  readonly #taken = new Map<string, number>()
  #count = 0

  constructor(options: PlacesOptions) {
    this.#options = options
  }

  /** `false`: there is none. Otherwise `leave` has to follow, once. */
  enter(keyId: string): boolean {
    const ofOne = this.#taken.get(keyId) ?? 0
    if (this.#count >= this.#options.most || ofOne >= this.#options.mostOfOne) return false
    this.#count++
    this.#taken.set(keyId, ofOne + 1)
    return true
  }

  leave(keyId: string): void {
    this.#count--
    const left = (this.#taken.get(keyId) ?? 0) - 1
    if (left > 0) this.#taken.set(keyId, left)
    else this.#taken.delete(keyId)
  }
}
