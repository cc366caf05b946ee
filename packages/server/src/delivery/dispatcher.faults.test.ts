import { describe, expect, it } from 'vitest'
import { DispatcherWorld } from '../../test/dispatcher-world.ts'
import { settled } from '../../test/fake-clock.ts'
import { claim } from '../../test/endpoint.ts'
import { findStrays } from './strays.ts'

const world = (maxInFlight?: number) => new DispatcherWorld(maxInFlight).join()

describe('a slot is granted at acceptance', () => {
  it('only for an endpoint in memory that may be sent to', async () => {
    const at = await world()
    const good = await at.endpoint()
    const paused = await at.endpoint({ status: 'paused' })
    const pull = await at.endpoint({ kind: 'pull', url: null })
    expect(at.dispatcher.reserve(good)).toBe(false)
    await at.cache.load([good, paused, pull, 'gone'])
    expect([paused, pull, 'gone'].map((id) => at.dispatcher.reserve(id))).toEqual([false, false, false])
    expect(at.dispatcher.reserve(good)).toBe(true)
  })

  it('while there is one, at the endpoint and in all', async () => {
    const at = await world(3)
    const [a, b] = [await at.endpoint(), await at.endpoint()]
    await at.cache.load([a, b])
    expect([a, a, a].map((id) => at.dispatcher.reserve(id))).toEqual([true, true, false])
    expect([b, b].map((id) => at.dispatcher.reserve(id))).toEqual([true, false])
    at.dispatcher.release(a)
    expect(at.dispatcher.reserve(b)).toBe(true)
  })

  it('not before those that wait already', async () => {
    const at = await world()
    const [id, other] = [await at.endpoint(), await at.endpoint()]
    await at.cache.load([id])
    await at.deliveries([id])
    const reading = at.hold('loadEndpoints')
    at.dispatcher.wake([other, id])
    await settled()
    expect(at.dispatcher.reserve(id)).toBe(false)
    reading.open()
    await settled()
    expect(at.runs).toHaveLength(1)
    expect(at.dispatcher.reserve(id)).toBe(true)
  })

  it('and is used by the claim that is started in it, and free again after that', async () => {
    const at = await world(1)
    const id = await at.endpoint()
    await at.cache.load([id])
    expect(at.dispatcher.reserve(id)).toBe(true)
    at.dispatcher.start([claim({ endpointId: id, position: 999 })], 1)
    expect(at.dispatcher.inFlight).toBe(1)
    expect(at.dispatcher.reserve(id)).toBe(false)
    await at.runs[0]?.fail()
    expect(at.dispatcher.inFlight).toBe(0)
    await settled()
    await at.cache.load([id])
    expect(at.dispatcher.reserve(id)).toBe(true)
  })
})

describe('when a claim fails', () => {
  it('tries again after a second, with its slots free', async () => {
    const at = await world(2)
    const id = await at.endpoint()
    await at.deliveries([id], 2)
    at.hold('claimDue', 'before').fail(new Error('down'))
    at.dispatcher.wake([id])
    await settled()
    expect(at.errors.map(String)).toEqual(['Error: down'])
    await at.clock.advance(999)
    expect(at.runs).toEqual([])
    await at.clock.advance(1)
    expect(at.runs).toHaveLength(2)
  })

  it('gives back what it claimed all the same, and nothing that runs', async () => {
    const at = await world()
    const [busy, id] = [await at.endpoint(), await at.endpoint()]
    await at.deliveries([busy])
    at.dispatcher.wake([busy])
    await settled()
    await at.deliveries([id], 2)
    at.hold('claimDue').fail(new Error('the answer got lost'))
    at.dispatcher.wake([id])
    await settled()
    const running = at.runs[0]?.claim.position
    expect(await at.held()).toHaveLength(3)
    await at.dispatcher.poll()
    await settled()
    expect(await at.held()).toHaveLength(3)
    expect(at.runs.map(({ claim: { number } }) => number)).toEqual([1, 1, 1])
    await at.runs[1]?.succeed()
    await at.runs[2]?.succeed()
    expect(await at.held()).toEqual([running])
    expect(at.statuses().toSorted()).toEqual(['delivered', 'delivered', 'in flight'])
  })

  it('finds them all, however many answers got lost', async () => {
    const at = await world(2)
    const ids = await Promise.all(Array.from({ length: 12 }, () => at.endpoint({ maxInFlight: 2 })))
    await at.deliveries(ids)
    for (let lost = 0; lost < 12; lost++) {
      at.hold('claimDue').fail(new Error('lost'))
      at.dispatcher.wake(ids)
      await settled()
    }
    expect(await at.held()).toHaveLength(12)
    for (let round = 0; round < 20; round++) {
      await at.dispatcher.poll()
      await settled()
      for (const run of at.runs) if (at.dispatcher.inFlight > 0) await run.succeed()
    }
    expect(new Set(at.statuses())).toEqual(new Set(['delivered']))
    expect(await at.held()).toEqual([])
  })

  it('looks for strays only when no other answer is on its way', async () => {
    const at = await world()
    const [a, b] = [await at.endpoint(), await at.endpoint()]
    await at.cache.load([a])
    expect(at.dispatcher.reserve(a)).toBe(true)
    let asked = 0
    at.hooks.before = (verb) => {
      if (verb === 'findClaims') asked++
    }
    at.dispatcher.reconcile()
    at.dispatcher.wake([b])
    await settled()
    expect(asked).toBe(0)
    at.dispatcher.release(a)
    await settled()
    expect(asked).toBe(1)
  })

  it('makes it quiet where it has not been for five seconds: under load there is always an answer on its way', async () => {
    const at = await world()
    const [a, b] = [await at.endpoint(), await at.endpoint()]
    await at.cache.load([a, b])
    let asked = 0
    at.hooks.before = (verb) => {
      if (verb === 'findClaims') asked++
    }
    expect(at.dispatcher.reserve(a)).toBe(true)
    at.dispatcher.reconcile()
    await at.clock.advance(4999)
    expect(at.dispatcher.reserve(b)).toBe(true)
    at.dispatcher.release(a)
    await settled()
    expect(asked).toBe(0)
    await at.clock.advance(1)
    expect([a, b].map((id) => at.dispatcher.reserve(id))).toEqual([false, false])
    at.dispatcher.release(b)
    await settled()
    expect(asked).toBe(1)
    expect([a, b].map((id) => at.dispatcher.reserve(id))).toEqual([true, true])
  })

  it('starts nothing while it looks for strays', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.deliveries([id])
    await at.cache.load([id])
    const looking = at.hold('findClaims')
    at.dispatcher.reconcile()
    at.dispatcher.wake([id])
    await settled()
    expect(at.runs).toEqual([])
    expect(at.dispatcher.reserve(id)).toBe(false)
    looking.open()
    await settled()
    expect(at.runs).toHaveLength(1)
  })

  it('claims no suspect either while it looks: that would be taken for a stray', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.suspect(id)
    const looking = at.hold('findClaims', 'before')
    at.dispatcher.reconcile()
    at.dispatcher.wakeSuspects()
    await settled()
    expect(at.runs).toEqual([])
    looking.open()
    await settled()
    expect(at.runs).toHaveLength(1)
    expect(await at.held()).toEqual([at.runs[0]?.claim.position])
  })

  it('keeps trying to find strays when that fails too', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.deliveries([id])
    at.hold('claimDue').fail(new Error('lost'))
    at.dispatcher.wake([id])
    await settled()
    at.hold('findClaims').fail(new Error('down'))
    await at.dispatcher.poll()
    await settled()
    expect(at.runs).toEqual([])
    await at.dispatcher.poll()
    await settled()
    expect(at.runs).toHaveLength(1)
  })
})

describe('a claim that ends by an error nobody expected', () => {
  it('frees its slot, is reported, and the delivery is tried again', async () => {
    const at = await world(1)
    const id = await at.endpoint()
    await at.deliveries([id])
    at.dispatcher.wake([id])
    await settled()
    await at.runs[0]?.fail()
    expect(at.errors.map(String)).toEqual(['Error: a bug'])
    expect(at.runs).toHaveLength(2)
    await at.runs[1]?.succeed()
    expect(at.statuses()).toEqual(['delivered'])
  })
})

describe('findStrays', () => {
  it('tells claims apart by position and number', () => {
    const held = [
      { position: 1, number: 1 },
      { position: 2, number: 3 },
      { position: 11, number: 1 },
    ]
    expect(findStrays(held, [])).toEqual(held)
    expect(findStrays(held, [{ position: 2, number: 2 }, held[0] as (typeof held)[number]])).toEqual(held.slice(1))
  })

  it('does not take a claim for a stray because an earlier one of the same delivery has ended', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.cache.load([id])
    await at.deliveries([id])
    at.dispatcher.wake([id])
    await settled()
    const first = at.runs[0]?.claim
    // The node loses its lease; the delivery is rescued and claimed again while the first run goes on.
    await at.store.joinNode({ nodeId: 'node-a', leaseMs: 1_000_000 })
    await at.store.rescueClaims({ nodeId: 'node-a', now: at.clock.now(), limit: 10 })
    at.dispatcher.wakeSuspects()
    await at.clock.advance(2000)
    expect(at.runs.map(({ claim: { position, number } }) => [position, number])).toEqual([
      [first?.position, 1],
      [first?.position, 2],
    ])
    await at.runs[0]?.succeed()
    at.dispatcher.reconcile()
    await at.dispatcher.poll()
    await settled()
    expect(await at.held()).toEqual([first?.position])
    await at.clock.advance(10_000)
    expect(at.runs).toHaveLength(2)
  })
})

describe('suspects', () => {
  it('run alone, then the others go on', async () => {
    const at = await world()
    const [id, other] = [await at.endpoint(), await at.endpoint()]
    await at.suspect(id)
    await at.deliveries([other])
    at.dispatcher.wakeSuspects()
    at.dispatcher.wake([other])
    await settled()
    expect(at.runs.map(({ claim: { suspect } }) => suspect)).toEqual([true])
    await at.runs[0]?.succeed()
    expect(at.runs.map(({ claim: { suspect } }) => suspect)).toEqual([true, false])
  })

  it('are found by a poll', async () => {
    const at = await world()
    await at.suspect(await at.endpoint())
    expect((await at.dispatcher.poll()).suspects).toBe(true)
    await settled()
    expect(at.runs).toHaveLength(1)
  })

  it('wait for a slot like any other: no endpoint gets more at once than it allows', async () => {
    const at = await world()
    const [id, other] = [await at.endpoint({ maxInFlight: 1 }), await at.endpoint({ maxInFlight: 1 })]
    await at.suspect(id)
    await at.suspect(other)
    await at.deliveries([id])
    at.dispatcher.wake([id])
    await settled()
    expect(at.runs).toHaveLength(1)
    at.dispatcher.wakeSuspects()
    await at.clock.advance(2000)
    expect(at.runs.map(({ claim: { endpointId } }) => endpointId)).toEqual([id, other])
    await at.runs[1]?.succeed()
    await at.clock.advance(10_000)
    expect(at.peaks.get(id)).toBe(1)
    await at.runs[0]?.succeed()
    await at.clock.advance(5000)
    await at.dispatcher.poll()
    await settled()
    expect(at.runs).toHaveLength(3)
    expect(at.runs[2]?.claim).toMatchObject({ endpointId: id, suspect: true })
  })

  it('do not exceed what may be in flight in all', async () => {
    const at = await world(1)
    const [id, other] = [await at.endpoint(), await at.endpoint()]
    await at.suspect(id)
    await at.deliveries([other])
    at.dispatcher.wake([other])
    await settled()
    at.dispatcher.wakeSuspects()
    await at.clock.advance(20_000)
    expect(at.peak).toBe(1)
    await at.runs[0]?.succeed()
    await at.clock.advance(5000)
    await at.dispatcher.poll()
    await settled()
    expect(at.runs[1]?.claim.suspect).toBe(true)
  })
})

describe('stopping', () => {
  it('claims nothing more, grants nothing more, and waits for what is in flight', async () => {
    const at = await world(2)
    const id = await at.endpoint()
    await at.deliveries([id], 5)
    at.dispatcher.wake([id])
    await settled()
    let stopped = false
    void at.dispatcher.stop().then(() => (stopped = true))
    await at.runs[0]?.succeed()
    expect(stopped).toBe(false)
    expect(at.dispatcher.reserve(id)).toBe(false)
    await at.runs[1]?.succeed()
    await at.clock.advance(60_000)
    expect(stopped).toBe(true)
    expect(at.runs).toHaveLength(2)
    expect(at.dispatcher.stopping).toBe(true)
    expect(at.clock.timers).toBe(0)
  })

  it('waits for the answer of a claim, whose deliveries are run so that they can be given back', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.deliveries([id])
    const claiming = at.hold('claimDue')
    at.dispatcher.wake([id])
    await settled()
    let stopped = false
    void at.dispatcher.stop().then(() => (stopped = true))
    await settled()
    expect(stopped).toBe(false)
    claiming.open()
    await settled()
    expect(at.runs).toHaveLength(1)
    await at.runs[0]?.release(at.clock.now() + 60_000)
    expect(stopped).toBe(true)
    expect(at.clock.timers).toBe(0)
    expect(await at.held()).toEqual([])
  })

  it('waits for a slot that is reserved until it is known what becomes of it', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.cache.load([id])
    at.dispatcher.reserve(id)
    let stopped = false
    void at.dispatcher.stop().then(() => (stopped = true))
    await settled()
    expect(stopped).toBe(false)
    at.dispatcher.release(id)
    await settled()
    expect(stopped).toBe(true)
  })

  it('resolves at once when there is nothing to do, and leaves no timer', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.deliveries([id])
    at.dispatcher.wake([id])
    await settled()
    await at.runs[0]?.release(at.clock.now() + 60_000)
    await at.dispatcher.stop()
    expect(at.clock.timers).toBe(0)
  })
})
