import { GENESIS, chainText } from './audit-entry.ts'

/** What came of looking through an audit log. */
export type ChainVerdict =
  | {
      ok: true
      entries: number
      /** The number of the first one: higher than 1 where older ones have been pruned. `null`: the log is empty. */
      from: number | null
      /** To be kept elsewhere: a later check can be told to find it. */
      head: { seq: number; hash: string } | null
    }
  | { ok: false; seq: number | null; reason: string }

export interface ChainOptions {
  /** SHA-256 of a text's UTF-8, in hex. */
  sha256(text: string): string
  /** An entry that was in the log earlier, and has to be in it still. */
  expect: { seq: number; hash: string } | null
}

const LINE = /^\{"seq":(\d{1,15}),"hash":"([0-9a-f]{64})",/

/**
 * Checks that nobody has changed, taken out, moved or added an entry: each hash covers the entry and the hash before it. Takes
 * the lines of `GET /v1/audit-log/export` one by one, oldest first, in memory that does not grow with them.
 *
 * Whoever can write to the database can make the whole chain anew; what gives that away is a head that was written down
 * elsewhere (`expect`).
 */
export class ChainCheck {
  readonly #options: ChainOptions
  #failure: { seq: number | null; reason: string } | null = null
  #first: { seq: number; hash: string; content: string } | null = null
  #last: { seq: number; hash: string } | null = null
  /** What the pruning on record says of the entry before the first one. */
  #pruned: { seq: number; hash: string } | null = null
  #found: boolean

  constructor(options: ChainOptions) {
    this.#options = options
    this.#found = options.expect === null
  }

  add(line: string): void {
    if (this.#failure !== null || line === '') return
    const match = LINE.exec(line)
    if (match === null) return this.#fail('is no line of an audit log')
    const content = `{${line.slice(match[0].length)}`
    this.#notePruning(content)
    this.#link({ seq: Number(match[1]), hash: match[2] as string, content })
  }

  end(): ChainVerdict {
    this.#checkStart()
    const { expect } = this.#options
    if (this.#failure === null && expect !== null && !this.#found) {
      this.#failure = this.#beyond(expect)
    }
    if (this.#failure !== null) return { ok: false, ...this.#failure }
    const [first, last] = [this.#first, this.#last]
    const entries = first === null || last === null ? 0 : last.seq - first.seq + 1
    return { ok: true, entries, from: first?.seq ?? null, head: last }
  }

  #link(entry: { seq: number; hash: string; content: string }): void {
    const { sha256, expect } = this.#options
    const last = this.#last
    if (last === null) this.#first = entry
    else if (entry.seq !== last.seq + 1) return this.#fail(`does not follow on entry ${last.seq}`, entry.seq)
    else if (sha256(chainText(last.hash, entry.content)) !== entry.hash) {
      return this.#fail('does not have the hash of what it says', entry.seq)
    }
    if (expect?.seq === entry.seq) {
      if (expect.hash !== entry.hash) return this.#fail('has another hash than it had earlier', entry.seq)
      this.#found = true
    }
    this.#last = { seq: entry.seq, hash: entry.hash }
  }

  /** The first entry goes on from nothing, or from what a pruning has put on record. */
  #checkStart(): void {
    if (this.#failure !== null || this.#first === null) return
    const { seq, hash, content } = this.#first
    const before = seq === 1 ? { seq: 0, hash: GENESIS } : this.#pruned
    if (before === null || before.seq !== seq - 1) {
      return this.#fail('is the first one, and no pruning is on record for those before it', seq)
    }
    if (this.#options.sha256(chainText(before.hash, content)) !== hash) {
      this.#fail('does not have the hash of what it says', seq)
    }
  }

  #beyond(expect: { seq: number }): { seq: number; reason: string } {
    const [first, last] = [this.#first?.seq ?? 0, this.#last?.seq ?? 0]
    if (expect.seq < first) {
      return { seq: expect.seq, reason: 'has been pruned: give the number and hash of a later entry' }
    }
    return { seq: expect.seq, reason: `was in the log earlier, and the log ends with entry ${last}` }
  }

  #notePruning(content: string): void {
    if (!content.includes('"action":"audit.pruned"')) return
    const entry = readEntry(content)
    if (entry?.action !== 'audit.pruned') return
    const { through_seq: seq, hash } = entry.detail ?? {}
    if (typeof seq === 'number' && typeof hash === 'string') this.#pruned = { seq, hash }
  }

  #fail(reason: string, seq: number | null = null): void {
    this.#failure ??= { seq, reason }
  }
}

function readEntry(content: string): { action?: unknown; detail?: Record<string, unknown> } | null {
  try {
    return JSON.parse(content) as { action?: unknown; detail?: Record<string, unknown> }
  } catch {
    return null
  }
}
