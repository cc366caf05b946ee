import { describe, expect, it } from 'vitest'
import { Circuit } from './circuit.ts'

const SECOND = 1000

/** Ten failures of so many deliveries, spread evenly over this time. */
function failing(spanMs: number, deliveries = 3, count = 10): Circuit {
  const circuit = new Circuit()
  for (let n = 0; n < count; n++) circuit.failed(`dlv_${n % deliveries}`, (spanMs * n) / (count - 1))
  return circuit
}

describe('a circuit', () => {
  it('opens after ten failures in a row, of three deliveries, over thirty seconds', () => {
    const circuit = failing(30 * SECOND)
    expect(circuit.state(30 * SECOND)).toBe('open')
    expect([circuit.limit(30 * SECOND), circuit.waitMs(30 * SECOND)]).toEqual([0, 30 * SECOND])
  })

  it.each([
    ['nine failures', failing(60 * SECOND, 3, 9)],
    ['two deliveries', failing(60 * SECOND, 2)],
    ['29 seconds', failing(29 * SECOND)],
  ])('stays closed after only %s', (_what, circuit) => {
    expect(circuit.state(60 * SECOND)).toBe('closed')
    expect([circuit.limit(60 * SECOND), circuit.waitMs(60 * SECOND)]).toEqual([Infinity, 0])
  })

  it('begins to count anew with each success', () => {
    const circuit = failing(29 * SECOND)
    expect(circuit.succeeded()).toBe(false)
    for (let n = 0; n < 9; n++) circuit.failed(`dlv_${n}`, 30 * SECOND + n * 10 * SECOND)
    expect(circuit.state(130 * SECOND)).toBe('closed')
    circuit.failed('dlv_10', 130 * SECOND)
    expect(circuit.state(130 * SECOND)).toBe('open')
  })

  it('lets one probe through for each interval, which doubles up to five minutes', () => {
    const circuit = failing(30 * SECOND)
    let now = 30 * SECOND
    for (const seconds of [30, 60, 120, 240, 300, 300]) {
      expect(circuit.waitMs(now)).toBe(seconds * SECOND)
      // What was still in flight changes nothing.
      circuit.failed('dlv_late', now + 1)
      now += seconds * SECOND
      expect([circuit.state(now - 1), circuit.state(now), circuit.limit(now)]).toEqual(['open', 'half_open', 1])
      circuit.failed('dlv_probe', now)
      expect(circuit.state(now)).toBe('open')
    }
  })

  it('closes with a success, and waits no longer than at first when it opens again', () => {
    const circuit = failing(30 * SECOND)
    circuit.failed('dlv_probe', 60 * SECOND)
    expect(circuit.succeeded()).toBe(true)
    expect(circuit.state(60 * SECOND)).toBe('closed')
    for (let n = 0; n < 10; n++) circuit.failed(`dlv_${n}`, 100 * SECOND + n * 4 * SECOND)
    expect(circuit.waitMs(136 * SECOND)).toBe(30 * SECOND)
  })
})
