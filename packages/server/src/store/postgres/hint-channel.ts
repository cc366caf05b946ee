import { createHash } from 'node:crypto'

/**
 * What nodes tell each other through the database, so that nobody has to wait for the next look. Everything works without it, only
 * later: a hint may be lost, come twice, or come for nothing.
 */
export interface Hint {
  /** The configuration has this version now, or a later one. */
  configVersion?: number
  /** Deliveries wait that somebody else has left there. */
  wake?: true
}

/** Channels belong to a database; two Runbells in two schemas of one database have their own. */
export function hintChannel(schema: string): string {
  return `runbell_${createHash('sha256').update(schema).digest('hex').slice(0, 16)}`
}

export function configPayload(version: string): string {
  return `'config ' || ${version}`
}

/** @param sender the store that sends it, which needs no telling */
export function wakePayload(sender: string): string {
  return `wake ${sender}`
}

/** `null`: it says nothing to this store. A word of a later version is passed over. */
export function readPayload(payload: string, self: string): Hint | null {
  const [word, value] = payload.split(' ')
  if (word === 'config') return { configVersion: Number(value) }
  return word === 'wake' && value !== self ? { wake: true } : null
}
