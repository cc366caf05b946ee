import { beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../test/fake-clock.ts'
import type { NewDiagnostic } from '../store/diagnostics.ts'
import { createMemoryDiagnostics } from '../store/memory/diagnostics.ts'
import { T0 } from '../store/conformance/builders.ts'
import { pruneDiagnostics, type DiagnosticCounts } from './diagnostic-retention.ts'

const DAY = 86_400_000
const TIMES = { live: 7 * DAY, test: DAY }
const ANY = { runId: null, traceId: null, names: [], leastSeverity: 0, since: null, until: null }

let store: ReturnType<typeof createMemoryDiagnostics>
let clock: FakeClock
beforeEach(() => {
  store = createMemoryDiagnostics()
  clock = new FakeClock(T0)
})

const add = (count: number, more: Partial<NewDiagnostic> = {}) =>
  store.append({
    diagnostics: Array.from({ length: count }, () => ({
      ...{ mode: 'live' as const, tenantId: 'a', runId: null, traceId: null, name: 'x', severity: 2, recordedAt: T0 },
      ...{ body: '{}', ...more },
    })),
  })

/** Runs a round to its end, however long it pauses. */
async function round(keep = 1e9, stopping = () => false): Promise<DiagnosticCounts> {
  const running = pruneDiagnostics({ store, clock, times: TIMES, keep, stopping })
  const turn = Promise.resolve().then(() => null)
  for (let counts = null; ; counts = await Promise.race([running, turn])) {
    if (counts !== null) return counts
    await clock.advance(1)
  }
}

const left = async (mode: 'live' | 'test') => {
  const page = { limit: 1e6, order: 'oldest' as const, after: null }
  return (await store.list({ scope: { mode, tenantId: null }, filter: ANY, page })).rows.length
}

test('what is older than it is kept goes, by mode, however much it is', async () => {
  await add(3500)
  await add(5, { mode: 'test' })
  expect(await round()).toEqual({ old: 0, beyond: 0 })
  await clock.advance(DAY + 1000)
  expect(await round()).toEqual({ old: 5, beyond: 0 })
  await clock.advance(6 * DAY)
  await add(2, { recordedAt: clock.now() })
  expect(await round()).toEqual({ old: 3500, beyond: 0 })
  expect([await left('live'), await left('test')]).toEqual([2, 0])
})

test('where there are too many the oldest go before their time', async () => {
  await add(2500)
  expect(await round(100)).toEqual({ old: 0, beyond: 2400 })
  expect(await left('live')).toBe(100)
})

test('a server that stops leaves the rest to the next', async () => {
  await add(5000)
  await clock.advance(30 * DAY)
  let pieces = 0
  const { old } = await round(1e9, () => ++pieces > 2)
  expect(old).toBeLessThan(5000)
})
