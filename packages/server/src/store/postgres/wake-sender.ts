import type { Database } from './database.ts'
import { wakePayload } from './hint-channel.ts'

/** A node sends at most one in so long: each is a commit, and those of all nodes are one after another. */
const AT_MOST_EVERY_MS = 50

/**
 * Tells other nodes that deliveries wait. After the commit and not within it: committing a hint waits for every other hint of the
 * whole server, and acceptance must not.
 */
export class WakeSender {
  readonly #database: Database
  readonly #self: string
  #timer: NodeJS.Timeout | null = null
  #notBefore = 0
  #sending: Promise<unknown> = Promise.resolve()

  constructor(database: Database, self: string) {
    this.#database = database
    this.#self = self
  }

  /** What comes while one is waiting to be sent goes with that. */
  wake(): void {
    this.#timer ??= setTimeout(() => this.#begin(), Math.max(0, this.#notBefore - performance.now()))
  }

  /** Sends what is still to be sent: others have to do now what this node has left. */
  async close(): Promise<void> {
    if (this.#timer !== null) this.#begin()
    await this.#sending
  }

  #begin(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#notBefore = performance.now() + AT_MOST_EVERY_MS
    this.#sending = Promise.all([this.#sending, this.#send()])
  }

  async #send(): Promise<void> {
    try {
      await this.#database.transaction('plain', async (db) => {
        // It need not outlast the server.
        await db.run('SET LOCAL synchronous_commit = off')
        await db.notify(wakePayload(this.#self))
      })
    } catch {
      // A hint is lost, and the others find what waits when they look next.
    }
  }
}
