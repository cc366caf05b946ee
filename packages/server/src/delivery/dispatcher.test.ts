import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DispatcherWorld } from '../../test/dispatcher-world.ts'
import { settled } from '../../test/fake-clock.ts'
import { LIVE } from '../store/conformance/builders.ts'

const world = (maxInFlight?: number) => new DispatcherWorld(maxInFlight).join()
const endpointsOf = ({ runs }: DispatcherWorld) => runs.map(({ claim }) => claim.endpointId)

describe('claiming', () => {
  it('begins when an endpoint is woken, with as many as it has slots', async () => {
    const { dispatcher, runs, ...at } = await setUp()
    await at.deliveries(5)
    dispatcher.wake([at.id])
    await settled()
    expect(runs).toHaveLength(2)
    expect(dispatcher.inFlight).toBe(2)
  })

  it('goes on as slots become free, until all are delivered', async () => {
    const { dispatcher, runs, ...at } = await setUp()
    await at.deliveries(7)
    dispatcher.wake([at.id])
    await settled()
    for (let ended = 0; ended < 7; ended++) await runs[ended]?.succeed()
    expect(runs).toHaveLength(7)
    expect(dispatcher.inFlight).toBe(0)
    expect(new Set(at.statuses())).toEqual(new Set(['delivered']))
  })

  it('needs no wake-up: a poll finds what is due', async () => {
    const { dispatcher, runs, ...at } = await setUp()
    await at.deliveries(1)
    expect(await dispatcher.poll()).toEqual({ due: 1, suspects: false })
    await settled()
    expect(runs).toHaveLength(1)
  })

  it('comes back for a retry at the time it is due', async () => {
    const { dispatcher, runs, clock, ...at } = await setUp()
    await at.deliveries(1)
    dispatcher.wake([at.id])
    await settled()
    await runs[0]?.release(clock.now() + 5000)
    await clock.advance(4999)
    expect(runs).toHaveLength(1)
    await clock.advance(1)
    expect(runs).toHaveLength(2)
  })

  it('does not lose a wake-up that comes during a claim', async () => {
    const at = await world()
    const id = await at.endpoint()
    const claiming = at.hold('claimDue')
    at.dispatcher.wake([id])
    await settled()
    await at.deliveries([id])
    at.dispatcher.wake([id])
    claiming.open()
    await settled()
    expect(at.runs).toHaveLength(1)
  })

  it('does not lose one that comes while endpoints are read, nor a change of them', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.deliveries([id])
    const reading = at.hold('loadEndpoints')
    at.dispatcher.wake([id])
    await settled()
    const changed = await at.store.changeEndpoint({
      ...{ scope: LIVE, endpointId: id, now: at.clock.now() },
      change: { kind: 'patch', patch: { maxInFlight: 1 } },
    })
    at.cache.know(changed?.configVersion as number)
    reading.open()
    await settled()
    expect(at.runs).toHaveLength(1)
    expect(at.cache.peek(id)?.maxInFlight).toBe(1)
  })

  it('looks again where the configuration changed between reading an endpoint and using it', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.deliveries([id])
    const load = at.cache.load.bind(at.cache)
    let changes = 1
    at.cache.load = async (ids) => {
      await load(ids)
      if (changes-- <= 0) return
      const change = { kind: 'patch', patch: { maxInFlight: 1 } } as const
      const changed = await at.store.changeEndpoint({ scope: LIVE, endpointId: id, now: 1, change })
      at.cache.know(changed?.configVersion as number)
    }
    at.dispatcher.wake([id])
    await settled()
    expect(at.runs).toHaveLength(1)
  })

  it('leaves a paused endpoint alone until it is resumed', async () => {
    const at = await world()
    const id = await at.endpoint()
    await at.deliveries([id])
    const set = (status: 'paused' | 'enabled') =>
      at.store.changeEndpoint({ scope: LIVE, endpointId: id, change: { kind: 'status', status, reason: null }, now: 1 })
    at.cache.know((await set('paused'))?.configVersion as number)
    at.dispatcher.wake([id])
    await at.clock.advance(10_000)
    expect(at.runs).toEqual([])
    at.cache.know((await set('enabled'))?.configVersion as number)
    at.dispatcher.wake([id])
    await settled()
    expect(at.runs).toHaveLength(1)
  })

  it('claims nothing without a lease, and goes on within a second once there is one', async () => {
    const { dispatcher, runs, ...at } = await setUp()
    await at.deliveries(1)
    at.world.covered = false
    dispatcher.wake([at.id])
    await at.world.clock.advance(10_000)
    expect(runs).toEqual([])
    expect(dispatcher.reserve(at.id)).toBe(false)
    at.world.covered = true
    await at.world.clock.advance(1000)
    expect(runs).toHaveLength(1)
  })
})

async function setUp(input: Parameters<DispatcherWorld['endpoint']>[0] = {}) {
  const at = await world()
  const id = await at.endpoint(input)
  const { dispatcher, runs, clock } = at
  return {
    ...{ world: at, id, dispatcher, runs, clock },
    deliveries: (count: number) => at.deliveries([id], count),
    statuses: () => at.statuses(),
  }
}

describe('everybody gets a turn', () => {
  it('with more endpoints in line than one claim asks for', async () => {
    const at = await world()
    const ids = await Promise.all(Array.from({ length: 250 }, () => at.endpoint()))
    await at.deliveries(ids)
    at.dispatcher.wake(ids)
    await settled()
    expect(new Set(endpointsOf(at)).size).toBe(250)
  })

  it('when a hundred in front of it have nothing to claim', async () => {
    const at = await world()
    const idle = await Promise.all(Array.from({ length: 100 }, () => at.endpoint()))
    const last = await at.endpoint()
    await at.deliveries([last])
    at.dispatcher.wake([...idle, last])
    await settled()
    expect(endpointsOf(at)).toEqual([last])
  })

  it('when those in front of it asked for every slot and used none', async () => {
    const at = await world(4)
    const idle = [await at.endpoint(), await at.endpoint()]
    const last = await at.endpoint()
    await at.deliveries([last])
    at.dispatcher.wake([...idle, last])
    await settled()
    expect(endpointsOf(at)).toEqual([last])
  })

  it('while a large backlog of one endpoint could take every slot that becomes free', async () => {
    const at = await world(2)
    const [large, small] = [await at.endpoint({ maxInFlight: 50 }), await at.endpoint({ maxInFlight: 50 })]
    await at.deliveries([large], 60)
    at.dispatcher.wake([large])
    await settled()
    for (let ended = 0; ended < 10; ended++) await at.runs[ended]?.succeed()
    const before = at.runs.length
    await at.deliveries([small], 10)
    at.dispatcher.wake([small])
    for (let ended = 10; ended < 20; ended++) await at.runs[ended]?.succeed()
    const share = endpointsOf(at)
      .slice(before)
      .filter((id) => id === small).length
    expect(share).toBeGreaterThanOrEqual(4)
  })
})

describe('the rate limit', () => {
  it('is not used up by asking for deliveries that are not there', async () => {
    const { dispatcher, runs, clock, id, ...at } = await setUp({ rateLimit: 1 })
    for (let round = 0; round < 5; round++) {
      dispatcher.wake([id])
      await settled()
    }
    await at.deliveries(2)
    dispatcher.wake([id])
    await settled()
    expect(runs).toHaveLength(1)
    await clock.advance(999)
    expect(runs).toHaveLength(1)
    await clock.advance(1)
    expect(runs).toHaveLength(2)
  })

  it('is not used up by a slot that was reserved and given back', async () => {
    const { dispatcher, id, world: at } = await setUp({ rateLimit: 1 })
    await at.cache.load([id])
    expect(dispatcher.reserve(id)).toBe(true)
    expect(dispatcher.reserve(id)).toBe(false)
    dispatcher.release(id)
    expect(dispatcher.reserve(id)).toBe(true)
  })
})

describe('never more in flight than allowed', () => {
  const plan = fc.record({
    cap: fc.integer({ min: 1, max: 12 }),
    limits: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }),
    steps: fc.array(fc.record({ kind: fc.constantFrom('add', 'end', 'retry', 'reserve', 'pass'), pick: fc.nat(99) }), {
      maxLength: 80,
    }),
  })

  it('for an endpoint nor in all, and everything is delivered in the end', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ cap, limits, steps }) => {
        const at = await world(cap)
        const ids = await Promise.all(limits.map((maxInFlight) => at.endpoint({ maxInFlight })))
        const open = new Set<number>()
        const endOne = async (pick: number, retry: boolean) => {
          const running = at.runs.flatMap((_, index) => (open.has(index) ? [index] : []))
          const index = running[pick % running.length]
          if (index === undefined) return
          open.delete(index)
          await (retry ? at.runs[index]?.release(at.clock.now() + 500) : at.runs[index]?.succeed())
        }
        const reserved: string[] = []
        let known = 0
        for (const { kind, pick } of steps) {
          const id = ids[pick % ids.length] as string
          if (kind === 'add') {
            await at.deliveries([id], 1 + (pick % 3))
            at.dispatcher.wake([id])
          } else if (kind === 'reserve') {
            if (at.dispatcher.reserve(id)) reserved.push(id)
            else if (reserved.length > 0) at.dispatcher.release(reserved.pop() as string)
          } else if (kind === 'pass') await at.clock.advance(pick * 10)
          else await endOne(pick, kind === 'retry')
          await settled()
          for (; known < at.runs.length; known++) open.add(known)
          const perLane = ids.map((each) => reserved.filter((held) => held === each).length)
          expect(at.dispatcher.inFlight + reserved.length).toBeLessThanOrEqual(cap)
          ids.forEach((each, index) => {
            const running = [...open].filter((run) => at.runs[run]?.claim.endpointId === each).length
            expect(running + (perLane[index] as number)).toBeLessThanOrEqual(limits[index] as number)
          })
        }
        for (const id of reserved) at.dispatcher.release(id)
        for (let round = 0; round < 500 && at.statuses().some((status) => status !== 'delivered'); round++) {
          await at.clock.advance(100)
          for (; known < at.runs.length; known++) open.add(known)
          await endOne(0, false)
        }
        expect(at.statuses().filter((status) => status !== 'delivered')).toEqual([])
        expect(at.errors).toEqual([])
        expect(at.peak).toBeLessThanOrEqual(cap)
        ids.forEach((id, index) => expect(at.peaks.get(id) ?? 0).toBeLessThanOrEqual(limits[index] as number))
      }),
      { numRuns: 60 },
    )
  })
})
