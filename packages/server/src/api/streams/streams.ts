import type { Clock } from '../../core/clock.ts'
import type { Store } from '../../store/store.ts'
import type { Principal } from '../access/principal.ts'
import { refused, type Refused } from '../http/problem.ts'
import { EventStream } from './event-stream.ts'

/** Streams of one key, and of all: each holds a connection. */
export const MAX_STREAMS_OF_KEY = 100
export const MAX_STREAMS = 2000
/** How often an idle stream has something on the line; what stands between waits a minute at least. */
export const BEAT_MS = 15_000

interface Opened {
  stream: EventStream
  keyId: string
}

interface KnownKey {
  /** Of the configuration, when it was looked at. */
  version: number
  expiresAt: number | null
}

/** All streams that are open here: bounded, kept alive, and ended when their key is, or the server. */
export class Streams {
  readonly #store: Pick<Store, 'findApiKey'>
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>
  readonly #opened = new Set<Opened>()
  readonly #keys = new Map<string, KnownKey>()
  #beatAt = 0
  #stopping = false

  constructor(store: Pick<Store, 'findApiKey'>, clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#store = store
    this.#clock = clock
  }

  get count(): number {
    return this.#opened.size
  }

  /** @throws Refused `rate_limited` where there are too many, `unavailable` when the server stops */
  open({ keyId }: Pick<Principal, 'keyId'>, maxBytes: number): EventStream {
    if (this.#stopping) throw refused('unavailable', 'The server is stopping.', 'Connect again in a moment.')
    const own = [...this.#opened].filter((one) => one.keyId === keyId).length
    if (own >= MAX_STREAMS_OF_KEY)
      throw tooMany(`This API key has ${own} streams open, which is the most there may be.`)
    if (this.#opened.size >= MAX_STREAMS)
      throw tooMany(`There are ${MAX_STREAMS} streams open, the most of one server.`)
    const opened = { stream: new EventStream(maxBytes), keyId }
    this.#opened.add(opened)
    opened.stream.onClose(() => this.#opened.delete(opened))
    return opened.stream
  }

  /** To be called every second: what keys may no longer see ends within that time, on every node. */
  async tend(): Promise<void> {
    if (this.#opened.size === 0) return
    await this.#endRevoked()
    if (this.#clock.monotonic() < this.#beatAt) return
    this.#beatAt = this.#clock.monotonic() + BEAT_MS
    for (const { stream } of this.#opened) stream.beat()
  }

  /** Ends all, and opens no other. */
  stop(): void {
    this.#stopping = true
    for (const { stream } of [...this.#opened]) stream.end('stopping')
  }

  /** While the configuration stays as it is, one key is looked up for all: a revoked one would be a change. */
  async #endRevoked(): Promise<void> {
    const now = this.#clock.now()
    const open = new Set([...this.#opened].map(({ keyId }) => keyId))
    for (const keyId of this.#keys.keys()) if (!open.has(keyId)) this.#keys.delete(keyId)
    let version: number | null = null
    for (const keyId of open) {
      let known = this.#keys.get(keyId)
      if (known === undefined || known.version !== version) {
        const { key, configVersion } = await this.#store.findApiKey({ keyId })
        version = configVersion
        known = key === null ? undefined : { version, expiresAt: key.expiresAt }
      }
      if (known === undefined || (known.expiresAt !== null && known.expiresAt <= now)) this.#endOf(keyId)
      else this.#keys.set(keyId, known)
    }
  }

  #endOf(keyId: string): void {
    this.#keys.delete(keyId)
    for (const opened of [...this.#opened]) if (opened.keyId === keyId) opened.stream.end('key_revoked')
  }
}

function tooMany(why: string): Refused {
  return refused('rate_limited', why, 'Close streams that nobody reads; one stream can carry what several do.')
}
