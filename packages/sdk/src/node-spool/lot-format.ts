import type { SpooledEvent } from '../emit/index.ts'

/** A JSON object a line. */
export function encodeLot(events: readonly SpooledEvent[]): Uint8Array {
  return new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
}

/**
 * The events that can be read. A file gets its name when it is whole and on disk; a disk that lost the end of it all the same
 * must not keep the rest from being published.
 */
export function decodeLot(bytes: Uint8Array): SpooledEvent[] {
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line)
      return isSpooledEvent(value) ? [value] : []
    } catch {
      return []
    }
  })
}

function isSpooledEvent(value: unknown): value is SpooledEvent {
  if (typeof value !== 'object' || value === null) return false
  const { event_id: id, type, once, body } = value as Partial<Record<keyof SpooledEvent, unknown>>
  return typeof id === 'string' && typeof type === 'string' && typeof once === 'boolean' && typeof body === 'string'
}
