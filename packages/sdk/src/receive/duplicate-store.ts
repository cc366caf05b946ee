/** `claimed`: yours to handle now. `done`: handled before. `busy`: someone else is handling it. */
export type Claim = 'claimed' | 'done' | 'busy'

/**
 * Remembers which events were handled, so that each is handled once although it may come more than once. An event is
 * claimed before the work and done after it; a claim that is neither done nor released expires, so that the event of a
 * handler that crashed can be handled again.
 *
 * ```
 * (unknown) ──claim──▶ claimed ──done──▶ done ──retention──▶ (unknown)
 *     ▲                   │
 *     └─release, expiry───┘
 * ```
 *
 * Receivers that handle the same events differently need a store, or a namespace in it, each.
 */
export interface DuplicateStore {
  /**
   * Claims an event, atomically: of several at the same time one gets `claimed`.
   * @param id the `webhook-id`
   * @param ttlMs after this many milliseconds the claim no longer holds
   */
  claim(id: string, ttlMs: number): Promise<Claim>
  /** The work is done. Holds also where the claim has expired meanwhile. */
  done(id: string): Promise<void>
  /** The work failed: drops the claim, and never what is done. */
  release(id: string): Promise<void>
}
