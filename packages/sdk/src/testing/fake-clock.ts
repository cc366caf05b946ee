/** A clock that stands still until it is told otherwise. Give `clock.now` wherever an option `now` is taken. */
export class FakeClock {
  #time: number

  /** @param start milliseconds since 1970. @default 2026-11-23T18:02:15.000Z */
  constructor(start: number = 1_795_456_935_000) {
    this.#time = start
  }

  readonly now = (): number => this.#time

  /** @param ms may be negative: clocks do go back */
  advance(ms: number): void {
    this.#time += ms
  }
}
