import type { RandomSource } from '../../packages/server/src/core/clock.ts'

/** All chance of a simulation comes from one of these: the same seed gives the same run (sfc32). */
export class SeededRandom implements RandomSource {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = 0x9e3779b9
    this.#c = 0x243f6a88
    for (let round = 0; round < 15; round++) this.#next()
  }

  fraction(): number {
    return this.#next() / 0x1_0000_0000
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#next() & 0xff)
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  /** True in this share of cases. */
  chance(share: number): boolean {
    return this.fraction() < share
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.between(0, items.length - 1)] as Item
  }

  #next(): number {
    const mixed = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + mixed
    return mixed >>> 0
  }
}
