const HIDDEN = '•••'

/**
 * A text that must not be seen: whoever prints, serialises or logs it gets `•••`. Only `reveal()` gives it away, so that a search
 * for that word finds every place where it is used.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  /** What `console.log` and error messages of Node show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN
  }
}
