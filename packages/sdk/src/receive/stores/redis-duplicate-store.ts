import type { Claim, DuplicateStore } from '../duplicate-store.ts'

/**
 * Sends a command: `(args) => redis.sendCommand(args)` with node-redis, `([name, ...args]) => redis.call(name, ...args)` with
 * ioredis.
 */
export type SendRedisCommand = (command: string[]) => Promise<unknown>

export interface RedisDuplicateStoreOptions {
  /** Before each id. @default "runbell:handled:" */
  prefix?: string
  /** How long a done event is remembered, in milliseconds: longer than the sender retries. 1 or more. @default 604800000 (7 days) */
  retentionMs?: number
}

/** Deletes a claim and never what is done, in one step. */
const RELEASE = `if redis.call('GET', KEYS[1]) == 'claimed' then return redis.call('DEL', KEYS[1]) end return 0`

/** Remembers handled events in Redis, which also forgets them. A Redis that evicts keys or loses them forgets earlier. */
export class RedisDuplicateStore implements DuplicateStore {
  readonly #send: SendRedisCommand
  readonly #prefix: string
  readonly #retentionMs: number

  /** @throws TypeError for a `retentionMs` below 1 */
  constructor(send: SendRedisCommand, options: RedisDuplicateStoreOptions = {}) {
    this.#send = send
    this.#prefix = options.prefix ?? 'runbell:handled:'
    this.#retentionMs = Math.ceil(options.retentionMs ?? 7 * 86_400_000)
    if (!(this.#retentionMs >= 1)) throw new TypeError('retentionMs is 1 or more')
  }

  async claim(id: string, ttlMs: number): Promise<Claim> {
    const key = this.#prefix + id
    const set = await this.#send(['SET', key, 'claimed', 'NX', 'PX', String(Math.ceil(ttlMs))])
    if (String(set) === 'OK') return 'claimed'
    return String(await this.#send(['GET', key])) === 'done' ? 'done' : 'busy'
  }

  async done(id: string): Promise<void> {
    await this.#send(['SET', this.#prefix + id, 'done', 'PX', String(this.#retentionMs)])
  }

  async release(id: string): Promise<void> {
    await this.#send(['EVAL', RELEASE, '1', this.#prefix + id])
  }
}
