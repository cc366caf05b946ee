/**
 * The facts a wrapper tells by itself. Nobody awaits them, so that the work never waits for the network; in strict mode the
 * wrapper waits at its end, and throws what one of them failed with.
 */
export class ToldFacts {
  readonly #strict: boolean
  readonly #facts: Promise<unknown>[] = []

  constructor(strict: boolean) {
    this.#strict = strict
  }

  add(fact: Promise<unknown>): void {
    // Nobody may be there to see it reject.
    fact.catch(() => undefined)
    if (this.#strict) this.#facts.push(fact)
  }

  /** @throws EmitError in strict mode */
  async end(): Promise<void> {
    await Promise.all(this.#facts)
  }
}
