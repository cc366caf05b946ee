import { expect, it } from 'vitest'
import { EVENT_ID_PATTERN, eventIdFitsMode } from '../contract/index.ts'
import { newEventId } from './index.ts'

it('is a TypeID over UUIDv7 that fits the mode', () => {
  for (const mode of ['live', 'test'] as const) {
    const id = newEventId(mode, 1_795_456_935_000)
    expect(id).toMatch(EVENT_ID_PATTERN)
    expect(eventIdFitsMode(id, mode)).toBe(true)
    const bits = [...(id.split('_').at(-1) as string)]
      .map((character) => '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(character).toString(2).padStart(5, '0'))
      .join('')
      .slice(2)
    expect(Number.parseInt(bits.slice(0, 48), 2)).toBe(1_795_456_935_000)
    expect(bits.slice(48, 52)).toBe('0111')
    expect(bits.slice(64, 66)).toBe('10')
  }
})

it('is ordered by time and never the same', () => {
  const ids = Array.from({ length: 100 }, (_, index) => newEventId('live', 1_795_456_935_000 + index * 1000))
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(Array.from({ length: 1000 }, () => newEventId('live', 1000))).size).toBe(1000)
})
