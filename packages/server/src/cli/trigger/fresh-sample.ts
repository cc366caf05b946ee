import type { Envelope } from '@runbell/sdk/contract'
import { newEventId, newProducerId } from '@runbell/sdk/emit'

/** Ids of samples, also inside of other text such as a URL. */
const TEST_ID = /\b([a-z]{2,12}_test_)[a-z0-9]{4,40}\b/g
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

/** An event as its producer publishes it. */
export type Publishable = Omit<Envelope, 'sequence' | 'recorded_at' | 'withheld' | 'causation_id' | 'tenant_id'>

/**
 * A sample that can be published: with ids that nobody has, the same where they were the same, and as if it happened at `now`.
 * @param now milliseconds since 1970
 */
export function freshSample(sample: Envelope, now: number): Publishable {
  const ids = new Map<string, string>()
  const freshId = (id: string, prefix: string) => {
    const known = ids.get(id) ?? prefix + newSuffix(now)
    ids.set(id, known)
    return known
  }
  const shiftMs = now - Date.parse(sample.timestamp)
  const fresh = mapTexts(publishable(sample), (text) =>
    TIME.test(text) ? shifted(text, shiftMs) : text.replaceAll(TEST_ID, freshId),
  ) as Publishable
  return {
    ...fresh,
    event_id: newEventId('test', now),
    timestamp: new Date(now).toISOString(),
    ...(fresh.run_id === undefined ? {} : { run_id: newProducerId('run', 'test', now) }),
  }
}

/** Without what Runbell gives at acceptance, the tenant of samples, and what would point to an event that nobody has. */
export function publishable(event: Envelope): Publishable {
  const { sequence: _sequence, recorded_at: _at, withheld: _withheld, causation_id: _cause, ...published } = event
  const { tenant_id: _tenant, ...ours } = published
  return ours
}

/** Every time moved by so many milliseconds. */
export function moveTimes<Value>(value: Value, shiftMs: number): Value {
  return mapTexts(value, (text) => (TIME.test(text) ? shifted(text, shiftMs) : text)) as Value
}

function shifted(time: string, shiftMs: number): string {
  return new Date(Date.parse(time) + shiftMs).toISOString()
}

function newSuffix(now: number): string {
  return newProducerId('run', 'live', now).slice('run_'.length)
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapTexts(member, change)]))
}
