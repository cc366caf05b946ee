import { createHash } from 'node:crypto'

/**
 * Advisory locks, all held until the end of a transaction. To take two, take them in this order.
 *
 * - `migration`: whoever changes the schema.
 * - `config`: shared by whoever relies on endpoints, tenants and their version; alone by whoever changes them. So an event that
 *   was matched with what is being changed is found stale, and nothing is claimed with grants that are being narrowed.
 * - `sealing`: whoever gives audit entries their places in the chain, or prunes them.
 * - `positions`: whoever takes positions, from then until the commit: positions rise in the order of commits (details 22). It
 *   comes last: nothing is waited for while it is held.
 * - `diagnostics`: whoever takes positions of diagnostics, as above; in transactions that take no other lock.
 */
export const LOCKS = { migration: 1, config: 2, sealing: 3, positions: 4, diagnostics: 5 } as const

export type LockKey = readonly [space: number, lock: number]

/** Locks belong to a database; two Runbells in two schemas of one database have their own. */
export function lockKey(schema: string, lock: keyof typeof LOCKS): LockKey {
  return [createHash('sha256').update(`runbell:${schema}`).digest().readInt32BE(), LOCKS[lock]]
}
