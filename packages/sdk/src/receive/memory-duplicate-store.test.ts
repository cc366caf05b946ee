import { describe, expect, it } from 'vitest'
import { MemoryDuplicateStore } from './index.ts'

function storeAt(options: { maxEntries?: number; retentionMs?: number } = {}) {
  const clock = { now: 1000 }
  return { clock, store: new MemoryDuplicateStore({ ...options, now: () => clock.now }) }
}

describe('a claim', () => {
  it('is given once', async () => {
    const { store } = storeAt()
    const claims = await Promise.all([store.claim('a', 10), store.claim('a', 10), store.claim('a', 10)])
    expect(claims).toEqual(['claimed', 'busy', 'busy'])
    expect(await store.claim('b', 10)).toBe('claimed')
  })

  it('ends when it is released, and when it expires', async () => {
    const { store, clock } = storeAt()
    await store.claim('a', 10)
    await store.release('a')
    expect(await store.claim('a', 10)).toBe('claimed')
    clock.now += 9
    expect(await store.claim('a', 10)).toBe('busy')
    clock.now += 1
    expect(await store.claim('a', 10)).toBe('claimed')
    expect(store.size).toBe(1)
  })
})

describe('a done event', () => {
  it('is remembered until its retention ends, and no longer takes room', async () => {
    const { store, clock } = storeAt({ retentionMs: 100 })
    for (const id of ['a', 'b']) {
      await store.claim(id, 10)
      await store.done(id)
    }
    clock.now += 99
    expect(await store.claim('a', 10)).toBe('done')
    clock.now += 1
    expect(await store.claim('a', 10)).toBe('claimed')
    expect(store.size).toBe(1)
  })

  it('stays done where its claim had expired, and where another claim on it is released', async () => {
    const { store, clock } = storeAt()
    await store.claim('a', 10)
    clock.now += 10
    await store.claim('a', 10)
    await store.done('a')
    await store.release('a')
    expect(await store.claim('a', 10)).toBe('done')
  })
})

describe('a full store', () => {
  it('stays within its bound where work is done after its claim went to another', async () => {
    const { store, clock } = storeAt({ maxEntries: 1 })
    await store.claim('a', 10)
    clock.now += 10
    expect(await store.claim('b', 10)).toBe('claimed')
    await store.done('b')
    await store.done('a')
    expect(store.size).toBe(1)
    expect(await store.claim('a', 10)).toBe('done')
  })

  it('forgets the oldest done event, and never more than it has to', async () => {
    const { store } = storeAt({ maxEntries: 3 })
    for (const id of ['a', 'b', 'c', 'd']) {
      await store.claim(id, 10)
      await store.done(id)
      expect(store.size).toBeLessThanOrEqual(3)
    }
    expect(await store.claim('b', 10)).toBe('done')
    expect(await store.claim('d', 10)).toBe('done')
    expect(await store.claim('a', 10)).toBe('claimed')
  })

  it('forgets no claim that holds, and takes the room of one that expired', async () => {
    const { store, clock } = storeAt({ maxEntries: 2 })
    await store.claim('a', 10)
    await store.claim('b', 20)
    expect(await store.claim('c', 10)).toBe('busy')
    expect(await store.claim('a', 10)).toBe('busy')
    clock.now += 10
    expect(await store.claim('c', 10)).toBe('claimed')
    expect(await store.claim('b', 10)).toBe('busy')
  })
})

it('refuses bounds that are none', () => {
  for (const options of [{ maxEntries: 0 }, { maxEntries: Number.NaN }, { retentionMs: 0 }, { retentionMs: -1 }]) {
    expect(() => new MemoryDuplicateStore(options)).toThrow(TypeError)
  }
})
