import { MODES, type Mode } from '@runbell/sdk/contract'
import type { Clock } from '../core/clock.ts'
import type { Prunable } from '../store/retention.ts'
import type { Store } from '../store/store.ts'

/** How long things are kept in each mode, in ms of service time. */
export type Times = Readonly<Record<Mode, number>>

export interface RetentionTimes {
  events: Times
  /** At most as long as events. */
  bodies: Times
  /** At most as long as events. */
  attempts: Times
  /** At most as long as events. */
  idempotency: Times
  audit: Times
}

export interface RetentionOptions {
  store: Store
  clock: Clock
  times: RetentionTimes
  /** What something pending needed is looked at again so often. @default 60000 */
  againMs?: number
  /** Nothing more is to be done. */
  stopping(): boolean
}

/** How much of each went in one round. */
export type RetentionCounts = Record<Prunable | 'audit' | 'endpoints' | 'bytes', number>

/** Events and deliveries looked at in one transaction: some ms of the one writer's time. */
const PIECE = 200
const AUDIT_PIECE = 500
/** What something pending needed is looked at again so often, unless told otherwise. */
const AGAIN_MS = 60_000
/** Space in the database file that stays for what comes next: giving it back and taking it again would cost twice. */
const KEEP_BYTES = 32 * 1024 * 1024
const GIVE_BACK_BYTES = 1024 * 1024

/**
 * Removes what is older than it is kept, in small pieces with as long a pause after each as it took: publishing and delivering
 * go on meanwhile. Where a process dies, the next one goes on from there.
 */
export class Retention {
  readonly #options: RetentionOptions
  #lookedAgain = -Infinity

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  /** One round. @param keepBytes of free space in the database file */
  async runOnce({ keepBytes = KEEP_BYTES } = {}): Promise<RetentionCounts> {
    const { store, clock, times, againMs = AGAIN_MS } = this.#options
    const counts = { payloads: 0, attempts: 0, idempotency: 0, events: 0, audit: 0, endpoints: 0, bytes: 0 }
    const again = clock.monotonic() - this.#lookedAgain >= againMs
    if (again) this.#lookedAgain = clock.monotonic()
    for (const mode of MODES) {
      for (const [what, keepMs] of stepsOf(times, mode)) {
        counts[what] += await this.#prune(what, mode, keepMs, false)
        if (again) counts[what] += await this.#prune(what, mode, keepMs, true)
      }
      counts.audit += await this.#pruneAudit(mode)
    }
    counts.endpoints = await this.#pruneEndpoints()
    await this.#all(async () => {
      const freed = await store.reclaimSpace({ keepBytes, maxBytes: GIVE_BACK_BYTES })
      counts.bytes += freed
      return freed > 0
    })
    return counts
  }

  /** Repeats a piece until it says that there is no more. */
  async #all(piece: () => Promise<boolean>): Promise<void> {
    const { clock, stopping } = this.#options
    for (let more = true; more && !stopping();) {
      const began = clock.monotonic()
      more = await piece()
      const ms = Math.max(1, clock.monotonic() - began)
      if (more) await new Promise<void>((resume) => clock.after(ms, resume))
    }
  }

  async #prune(what: Prunable, mode: Mode, keepMs: number, fromStart: boolean): Promise<number> {
    const { store, clock } = this.#options
    let removed = 0
    let again = fromStart ? 0 : null
    await this.#all(async () => {
      const now = clock.now()
      const piece = await store.prune({ what, mode, before: now - keepMs, now, limit: PIECE, again })
      removed += piece.removed
      if (again !== null) again = piece.next
      return piece.next !== null
    })
    return removed
  }

  async #pruneAudit(mode: Mode): Promise<number> {
    const { store, clock, times } = this.#options
    let removed = 0
    await this.#all(async () => {
      const now = clock.now()
      const count = await store.pruneAudit({ mode, before: now - times.audit[mode], limit: AUDIT_PIECE, now })
      removed += count
      return count === AUDIT_PIECE
    })
    return removed
  }

  async #pruneEndpoints(): Promise<number> {
    const { store, clock, times } = this.#options
    const longest = Math.max(...MODES.map((mode) => times.events[mode]))
    let removed = 0
    await this.#all(async () => {
      const count = await store.pruneEndpoints({ deletedBefore: clock.now() - longest, limit: PIECE })
      removed += count
      return count === PIECE
    })
    return removed
  }
}

/** What goes with its event in any case need not be removed before. */
function stepsOf({ events, bodies, attempts, idempotency }: RetentionTimes, mode: Mode): [Prunable, number][] {
  const steps: [Prunable, number][] = [
    ['payloads', bodies[mode]],
    ['attempts', attempts[mode]],
    ['idempotency', idempotency[mode]],
  ]
  return [...steps.filter(([, keepMs]) => keepMs < events[mode]), ['events', events[mode]]]
}
