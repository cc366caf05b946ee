import { describe, expect, it } from 'vitest'
import { endpoint } from '../../test/endpoint.ts'
import { gate, settled, type Gate } from '../../test/fake-clock.ts'
import { scriptedStore } from '../../test/scripted-store.ts'
import { openPlain } from '../../test/plain-vault.ts'
import type { EndpointRow } from '../store/rows.ts'
import { EndpointCache } from './endpoint-cache.ts'

type Answer = { endpoints: EndpointRow[]; configVersion: number }

/** Each read waits for the test to answer it. */
function setUp() {
  const reads: (Gate<Answer> & { ids: string[] })[] = []
  const { store } = scriptedStore({
    loadEndpoints({ endpointIds }) {
      const read = { ...gate<Answer>(), ids: endpointIds }
      reads.push(read)
      return read.promise
    },
  })
  return { cache: new EndpointCache(store, openPlain), reads }
}

const answer = (configVersion: number, ...endpoints: EndpointRow[]): Answer => ({ endpoints, configVersion })
const A = endpoint({ id: 'a' })
const B = endpoint({ id: 'b' })

describe('the endpoint cache', () => {
  it('reads an endpoint once, and says apart what is not there and what is not known', async () => {
    const { cache, reads } = setUp()
    expect(cache.peek('a')).toBeUndefined()
    const first = cache.get('a')
    await settled()
    reads[0]?.open(answer(1, A))
    expect(await first).toEqual(A)
    expect(await cache.get('a')).toEqual(A)
    const gone = cache.get('gone')
    await settled()
    reads[1]?.open(answer(1))
    expect(await gone).toBeNull()
    expect(cache.peek('gone')).toBeNull()
    expect(reads).toHaveLength(2)
  })

  it('shares one read between all who ask in one turn, and asks only for what is missing', async () => {
    const { cache, reads } = setUp()
    const all = Promise.all([cache.get('a'), cache.load(['a', 'b']), cache.get('b')])
    await settled()
    expect(reads.map(({ ids }) => ids)).toEqual([['a', 'b']])
    reads[0]?.open(answer(1, A, B))
    expect((await all)[2]).toEqual(B)
    const more = cache.load(['a', 'c'])
    await settled()
    expect(reads[1]?.ids).toEqual(['c'])
    reads[1]?.open(answer(1))
    await more
  })

  it('drops everything when it hears of a newer configuration, and nothing for an older one', async () => {
    const { cache, reads } = setUp()
    const first = cache.get('a')
    await settled()
    reads[0]?.open(answer(5, A))
    await first
    cache.know(4)
    cache.know(5)
    expect(cache.peek('a')).toEqual(A)
    cache.know(6)
    expect(cache.peek('a')).toBeUndefined()
  })

  it('never uses what was read under an older configuration than the newest one heard of', async () => {
    const { cache, reads } = setUp()
    const asked = cache.get('a')
    await settled()
    cache.know(2)
    reads[0]?.open(answer(1, A))
    await settled()
    expect(cache.peek('a')).toBeUndefined()
    expect(reads).toHaveLength(2)
    const paused = endpoint({ id: 'a', status: 'paused' })
    reads[1]?.open(answer(2, paused))
    expect(await asked).toEqual(paused)
  })

  it('reads again rather than call an endpoint gone when the configuration changes as the answer comes', async () => {
    const { cache, reads } = setUp()
    const other = cache.load(['a']).then(() => cache.know(2))
    const asked = cache.get('a')
    await settled()
    reads[0]?.open(answer(1, A))
    await other
    await settled()
    expect(reads).toHaveLength(2)
    reads[1]?.open(answer(2, A))
    expect(await asked).toEqual(A)
  })

  it('passes a failed read on to those who waited, and tries again for the next', async () => {
    const { cache, reads } = setUp()
    const failing = Promise.allSettled([cache.get('a'), cache.load(['b'])])
    await settled()
    reads[0]?.fail(new Error('down'))
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const next = cache.get('a')
    await settled()
    reads[1]?.open(answer(1, A))
    expect(await next).toEqual(A)
  })
})
