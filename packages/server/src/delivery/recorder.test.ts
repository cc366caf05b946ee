import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock, fakeRandom, gate, settled, type Gate } from '../../test/fake-clock.ts'
import { scriptedStore } from '../../test/scripted-store.ts'
import type { AttemptRecord, ClaimRef, RecordResult } from '../store/rows.ts'
import { Recorder } from './recorder.ts'

type Answer = { results: RecordResult[]; configVersion: number }

const record = (position: number) => ({ position, number: 1 }) as AttemptRecord
const release = (position: number) => ({ position, number: 1, dueAt: 0 })
const positions = (list: ClaimRef[]) => list.map(({ position }) => position)

function setUp() {
  const clock = new FakeClock()
  const batches: (Gate<Answer> & { positions: number[] })[] = []
  const releases: (Gate<void> & { positions: number[] })[] = []
  const seen = { versions: [] as number[], troubles: [] as unknown[], strays: 0 }
  const { store } = scriptedStore({
    recordAttempts({ records }) {
      const batch = { ...gate<Answer>(), positions: positions(records) }
      batches.push(batch)
      return batch.promise
    },
    releaseClaims({ claims }) {
      const batch = { ...gate(), positions: positions(claims) }
      releases.push(batch)
      return batch.promise
    },
  })
  const recorder = new Recorder({
    ...{ store, clock, random: fakeRandom(0.5), nodeId: 'node-a' },
    onConfigVersion: (version) => seen.versions.push(version),
    onTrouble: (error) => seen.troubles.push(error),
    onStray: () => seen.strays++,
  })
  const take = (index: number, result: RecordResult = 'recorded') => {
    const batch = batches[index] as (typeof batches)[number]
    batch.open({ results: batch.positions.map(() => result), configVersion: index + 1 })
  }
  return { clock, recorder, batches, releases, seen, take }
}

describe('the recorder', () => {
  it('puts what ends in one turn into one transaction, and resolves after the store took it', async () => {
    const { recorder, batches, take, seen } = setUp()
    let resolved = 0
    for (const position of [1, 2, 3]) void recorder.record(record(position)).then(() => resolved++)
    await settled()
    expect(batches.map((batch) => batch.positions)).toEqual([[1, 2, 3]])
    expect(resolved).toBe(0)
    take(0)
    await settled()
    expect(resolved).toBe(3)
    expect(seen.versions).toEqual([1])
  })

  it('gives each record its own result', async () => {
    const { recorder, batches } = setUp()
    const results = Promise.all([recorder.record(record(1)), recorder.record(record(2))])
    await settled()
    batches[0]?.open({ results: ['stale', 'recorded'], configVersion: 1 })
    expect(await results).toEqual(['stale', 'recorded'])
  })

  it('has one transaction under way, and takes what comes meanwhile into the next', async () => {
    const { recorder, batches, take } = setUp()
    void recorder.record(record(1))
    await settled()
    void recorder.record(record(2))
    void recorder.record(record(3))
    await settled()
    expect(batches).toHaveLength(1)
    take(0)
    await settled()
    expect(batches.map((batch) => batch.positions)).toEqual([[1], [2, 3]])
  })

  it('takes at most 500 at once, in the order they came', async () => {
    const { recorder, batches, take } = setUp()
    for (let position = 0; position < 1001; position++) void recorder.record(record(position))
    for (const [index, size] of [500, 500, 1].entries()) {
      await settled()
      expect(batches[index]?.positions).toHaveLength(size)
      take(index)
    }
    await settled()
    const all = batches.flatMap((batch) => batch.positions)
    expect(all).toEqual(Array.from({ length: 1001 }, (_, position) => position))
  })

  it('tries the same records again until the store takes them, with a growing pause of at most 5 s', async () => {
    const { clock, recorder, batches, seen, take } = setUp()
    let result: RecordResult | null = null
    void recorder.record(record(1)).then((value) => (result = value))
    const pauses: number[] = []
    for (let attempt = 0; attempt < 9; attempt++) {
      await settled()
      const failedAt = clock.monotonic()
      batches[attempt]?.fail(new Error('down'))
      while (batches.length === attempt + 1) await clock.advance(50)
      pauses.push(clock.monotonic() - failedAt)
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
    expect(new Set(batches.map((batch) => batch.positions.join()))).toEqual(new Set(['1']))
    expect(seen.troubles).toHaveLength(9)
    expect(result).toBeNull()
    take(9)
    await settled()
    expect(result).toBe('recorded')
  })

  it('loses nothing that comes while it is trying', async () => {
    const { clock, recorder, batches, take } = setUp()
    const done: number[] = []
    const add = (position: number) => void recorder.record(record(position)).then(() => done.push(position))
    add(1)
    await settled()
    add(2)
    batches[0]?.fail(new Error('down'))
    await settled()
    add(3)
    await clock.advance(100)
    take(1)
    await settled()
    take(2)
    await settled()
    expect(batches.map((batch) => batch.positions)).toEqual([[1], [1], [2, 3]])
    expect(done).toEqual([1, 2, 3])
  })

  it('gives claims back in their own transaction, and says when it is unknown whether that happened', async () => {
    const { recorder, releases, seen } = setUp()
    let resolved = 0
    for (const position of [1, 2]) void recorder.release(release(position)).then(() => resolved++)
    await settled()
    expect(releases.map((batch) => batch.positions)).toEqual([[1, 2]])
    releases[0]?.open()
    await settled()
    expect(resolved).toBe(2)
    expect(seen.strays).toBe(0)
    void recorder.release(release(3)).then(() => resolved++)
    await settled()
    releases[1]?.fail(new Error('down'))
    await settled()
    expect(resolved).toBe(3)
    expect(seen.strays).toBe(1)
    expect(seen.troubles).toHaveLength(1)
    expect(releases).toHaveLength(2)
  })

  it('works again after it was idle', async () => {
    const { recorder, batches, take } = setUp()
    for (let round = 0; round < 3; round++) {
      const result = recorder.record(record(round))
      await settled()
      take(round)
      expect(await result).toBe('recorded')
      await settled()
    }
    expect(batches.map((batch) => batch.positions)).toEqual([[0], [1], [2]])
  })
})

describe('under any failures', () => {
  it('records each one once, in order, and leaves nobody waiting', async () => {
    const plan = fc.array(fc.record({ count: fc.nat(5), fails: fc.nat(3), pass: fc.nat(300) }), { maxLength: 15 })
    await fc.assert(
      fc.asyncProperty(plan, async (steps) => {
        const clock = new FakeClock()
        const stored: number[] = []
        let failures = 0
        const { store } = scriptedStore({
          async recordAttempts({ records }) {
            if (failures > 0) throw new Error(String(failures--))
            stored.push(...positions(records))
            return { results: records.map(() => 'recorded' as const), configVersion: 1 }
          },
        })
        const nothing = () => {}
        const handlers = { onConfigVersion: nothing, onTrouble: nothing, onStray: nothing }
        const recorder = new Recorder({ store, clock, random: fakeRandom(0.9), nodeId: 'node-a', ...handlers })
        let made = 0
        let resolved = 0
        for (const { count, fails, pass } of steps) {
          failures += fails
          for (let index = 0; index < count; index++) void recorder.record(record(made++)).then(() => resolved++)
          await clock.advance(pass)
        }
        await clock.advance(10 * 60_000)
        expect(stored).toEqual(Array.from({ length: made }, (_, position) => position))
        expect(resolved).toBe(made)
        expect(clock.timers).toBe(0)
      }),
      { numRuns: 50 },
    )
  })
})
