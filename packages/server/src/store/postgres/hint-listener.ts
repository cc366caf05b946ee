import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Database } from './database.ts'
import { readPayload, type Hint } from './hint-channel.ts'

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5000
/** A connection that a firewall has forgotten says nothing, like one on which nothing happens: it is asked. */
const ASK_EVERY_MS = 15_000
const ANSWER_WITHIN_MS = 5000

/**
 * Listens for hints on a connection of its own, and makes another one whenever that breaks, after a time that doubles up to 5 s,
 * with jitter. What was said meanwhile is lost; so each connection begins with a hint of everything.
 *
 *     connecting ──> listening ──(broken, or no answer)──> waiting ──> connecting
 */
export class HintListener {
  readonly #database: Database
  readonly #onHint: (hint: Hint) => void
  readonly #self: string
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  #client: Client | null = null

  constructor(database: Database, { self, onHint }: { self: string; onHint: (hint: Hint) => void }) {
    this.#database = database
    this.#onHint = onHint
    this.#self = self
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#client?.end().catch(() => {})
    await this.#running
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#closing.signal.aborted;) {
      try {
        this.#client = await this.#database.connectAlone()
        // Closed while it was being made: nobody else ends this one.
        if (!this.#closing.signal.aborted) {
          const ended = endOf(this.#client)
          await this.#begin(this.#client)
          failures = 0
          await this.#untilBroken(this.#client, ended)
        }
      } catch {
        // The next one may do better; whoever calls the store hears what is the matter.
      }
      await this.#client?.end().catch(() => {})
      this.#client = null
      const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures++) * (0.5 + Math.random() / 2)
      await sleep(delay, undefined, { signal: this.#closing.signal }).catch(() => {})
    }
  }

  async #begin(client: Client): Promise<void> {
    client.on('notification', ({ payload }) => this.#tell(readPayload(payload ?? '', this.#self)))
    await client.query(`LISTEN ${this.#database.hintChannel}`)
    const { rows } = await client.query<{ value: number }>(`SELECT value FROM settings WHERE name = 'config_version'`)
    this.#tell({ configVersion: rows[0]?.value ?? 0, wake: true })
  }

  #tell(hint: Hint | null): void {
    if (hint !== null && !this.#closing.signal.aborted) this.#onHint(hint)
  }

  async #untilBroken(client: Client, ended: Promise<unknown>): Promise<void> {
    const asking = setInterval(() => {
      // Ending a connection that owes an answer breaks it.
      const patience = setTimeout(() => void client.end().catch(() => {}), ANSWER_WITHIN_MS)
      client.query('SELECT 1').then(
        () => clearTimeout(patience),
        () => clearTimeout(patience),
      )
    }, ASK_EVERY_MS)
    try {
      await ended
    } finally {
      clearInterval(asking)
    }
  }
}

function endOf(client: Client): Promise<unknown> {
  return new Promise((resolve) => client.once('end', resolve))
}
