import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DispatcherWorld, type Run } from '../../test/dispatcher-world.ts'
import { settled } from '../../test/fake-clock.ts'
import { Lane } from './lane.ts'
import { Slots } from './slots.ts'
import { TenantRing } from './tenant-ring.ts'

const world = (maxInFlight: number) => new DispatcherWorld(maxInFlight).join()
const idOf = ({ claim }: Run) => claim.endpointId

/** Ends what runs of these endpoints, until nothing more begins. @returns how many ended */
async function succeedAll(at: DispatcherWorld, ids: readonly string[]): Promise<number> {
  const ended = new Set<Run>()
  for (let more = true; more;) {
    const open = at.runs.filter((run) => ids.includes(idOf(run)) && !ended.has(run))
    more = open.length > 0
    for (const run of open) {
      ended.add(run)
      await run.succeed()
    }
  }
  return ended.size
}

describe('G18: endpoints that hang', () => {
  it('take every slot for half a second at most, then all others go on as if they were not there', async () => {
    const at = await world(50)
    const hanging = await Promise.all(Array.from({ length: 30 }, () => at.endpoint()))
    const healthy = [await at.endpoint(), await at.endpoint()]
    await at.deliveries(hanging, 10)
    at.dispatcher.wake(hanging)
    await settled()
    expect(at.runs).toHaveLength(40)
    await at.deliveries(healthy, 20)
    at.dispatcher.wake(healthy)
    await settled()
    expect(at.runs.map(idOf).filter((id) => healthy.includes(id))).toEqual([])

    await at.clock.advance(600)
    expect(await succeedAll(at, healthy)).toBe(40)
    // Each of them was tried, and from now on they share a fifth of the slots.
    await at.clock.advance(600)
    const stuck = at.runs.filter((run) => hanging.includes(idOf(run)))
    expect(stuck).toHaveLength(60)
    for (const run of stuck.slice(0, 55)) await run.succeed()
    expect(at.dispatcher.inFlight).toBe(10)
  })

  it('go on as well, within the slots for slow ones, until the last of them is through', async () => {
    const at = await world(50)
    const hanging = await Promise.all(Array.from({ length: 30 }, () => at.endpoint()))
    await at.deliveries(hanging, 2)
    at.dispatcher.wake(hanging)
    let done = 0
    for (let round = 0; round < 40 && done < at.runs.length + 1; round++) {
      await at.clock.advance(1000)
      const open = at.runs.slice(done)
      done = at.runs.length
      for (const run of open) await run.succeed()
    }
    expect(at.statuses().filter((status) => status !== 'delivered')).toEqual([])
    expect(at.peak).toBeLessThanOrEqual(100)
  })

  it('are fast again with the first answer that comes soon', async () => {
    const at = await world(50)
    const id = await at.endpoint()
    await at.deliveries([id], 3)
    at.dispatcher.wake([id])
    await at.clock.advance(600)
    expect(at.dispatcher.stateOf(id)).toMatchObject({ isSlow: true, inFlight: 2 })
    await at.runs[0]?.succeed()
    expect(at.dispatcher.stateOf(id).isSlow).toBe(true)
    await at.runs[2]?.succeed()
    expect(at.dispatcher.stateOf(id).isSlow).toBe(false)
    await at.runs[1]?.succeed()
    expect(at.dispatcher.stateOf(id)).toMatchObject({ isSlow: true, inFlight: 0 })
  })
})

describe('tenants', () => {
  it('take turns, however many endpoints one of them has', async () => {
    const at = await world(10)
    const many = await Promise.all(Array.from({ length: 60 }, () => at.endpoint({ tenantId: 'large' })))
    const one = await at.endpoint({ tenantId: 'small', maxInFlight: 50 })
    at.dispatcher.wake([...many, one])
    await settled()
    await at.deliveries([...many, one], 20)
    at.dispatcher.wake([...many, one])
    await settled()
    for (let ended = 0; ended < 60; ended++) await at.runs[ended]?.succeed()
    const share = at.runs.map(idOf).filter((id) => id === one).length
    // Of its two at once, one after another; in one line of 61 it would have had three turns.
    expect(share).toBeGreaterThanOrEqual(12)
  })

  it('come one after another, and their lanes too', () => {
    const ring = new TenantRing()
    const lanes = new Map(
      ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'].map((name) => {
        const lane = new Lane(name)
        lane.tenantId = name.slice(0, 1)
        ring.add(lane)
        return [name, lane]
      }),
    )
    const order = () => Array.from(ring, ({ endpointId }) => endpointId).join(' ')
    expect([order(), ring.size]).toEqual(['a1 b1 c1 a2 c2 a3', 6])
    ring.served(lanes.get('a1') as Lane)
    expect(order()).toBe('b1 c1 a2 c2 a3 a1')
    ring.delete(lanes.get('b1') as Lane)
    ring.served(lanes.get('b1') as Lane)
    expect([order(), ring.size]).toEqual(['c1 a2 c2 a3 a1', 5])
  })
})

describe('slots', () => {
  it('are all there again when everything has ended, whichever way lanes moved meanwhile', () => {
    const step = fc.record({ lane: fc.nat({ max: 3 }), what: fc.constantFrom('take', 'give', 'slow', 'fast') })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 80 }), (total, steps) => {
        const slots = new Slots(total)
        const lanes = Array.from({ length: 4 }, (_, index) => new Lane(String(index)))
        for (const { lane: index, what } of steps) {
          const lane = lanes[index] as Lane
          if (what === 'take' && slots.free(lane) > 0) {
            slots.take(lane)
            lane.inFlight++
          } else if (what === 'give' && lane.inFlight > 0) {
            slots.giveBack(lane)
            lane.inFlight--
          } else if (what === 'slow' || what === 'fast') slots.move(lane, what === 'slow')
          expect(slots.taken).toBe(lanes.reduce((sum, { inFlight }) => sum + inFlight, 0))
        }
        for (const lane of lanes) {
          for (; lane.inFlight > 0; lane.inFlight--) slots.giveBack(lane)
          slots.move(lane, false)
        }
        expect([slots.taken, slots.free(lanes[0] as Lane)]).toEqual([0, total - Math.floor(total / 5)])
      }),
    )
  })
})

describe('an open circuit', () => {
  it('holds what is due, lets one probe through, and ramps up once it works again', async () => {
    const at = await world(50)
    const id = await at.endpoint({ maxInFlight: 8 })
    await at.deliveries([id], 30)
    at.dispatcher.wake([id])
    await settled()
    const lane = at.runs[0]?.lane as Lane
    for (let failure = 0; failure < 10; failure++) {
      lane.circuit.failed(`dlv_${failure % 3}`, at.clock.monotonic())
      await at.clock.advance(4000)
    }
    expect(at.dispatcher.stateOf(id).circuit).toBe('open')
    for (const run of at.runs.slice(0, 2)) await run.release(at.clock.now())
    expect(at.runs).toHaveLength(2)
    await at.clock.advance(30_000)
    // The probe.
    expect(at.runs).toHaveLength(3)
    await at.clock.advance(10_000)
    expect(at.runs).toHaveLength(3)
    lane.succeeded(at.store.snapshot().endpoints[0] as never)
    await at.runs[2]?.succeed()
    expect(at.dispatcher.stateOf(id)).toMatchObject({ circuit: 'closed', limit: 2, inFlight: 2 })
  })
})
