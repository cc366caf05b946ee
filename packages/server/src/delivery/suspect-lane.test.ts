import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claim } from '../../test/endpoint.ts'
import { FakeClock, gate, settled } from '../../test/fake-clock.ts'
import type { Claim } from '../store/rows.ts'
import { SuspectLane } from './suspect-lane.ts'

/** Suspects that the store has, each with how long it takes; `busy`: others are in flight. */
function setUp(durations: number[], options: { busy?: boolean; claimMs?: number } = {}) {
  const clock = new FakeClock()
  const log: string[] = []
  const at = (what: string) => log.push(`${clock.monotonic() - 7} ${what}`)
  const left = durations.map((ms, index) => ({ claim: claim({ position: index + 1 }), ms }))
  const world = { busy: options.busy ?? false, drained: gate(), errors: [] as unknown[], claims: 0, left, log }
  const after = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))
  const lane = new SuspectLane({
    clock,
    drained: () => (world.busy ? world.drained.promise : Promise.resolve()),
    async claim() {
      world.claims++
      if (options.claimMs !== undefined) await after(options.claimMs)
      return left[0]?.claim ?? null
    },
    async run({ position }: Claim) {
      at(`start ${position}`)
      const [suspect] = left.splice(0, 1)
      await after(suspect?.ms ?? 0)
      at(`end ${position}`)
    },
    onOpen: () => at('open'),
    onError: (error) => world.errors.push(error),
  })
  return { clock, lane, ...world, world }
}

describe('the lane of suspects', () => {
  it('holds everybody else, runs them one after the other, and opens when there are none left', async () => {
    const { clock, lane, log } = setUp([10, 20])
    lane.wake()
    expect(lane.holding).toBe(true)
    await clock.advance(100)
    expect(log).toEqual(['0 start 1', '10 end 1', '10 start 2', '30 end 2', '30 open'])
    expect(lane.holding).toBe(false)
    expect(clock.timers).toBe(0)
  })

  it('starts alone: after what was in flight has ended', async () => {
    const { clock, lane, log, drained } = setUp([10], { busy: true })
    lane.wake()
    await clock.advance(1500)
    expect(log).toEqual([])
    expect(lane.holding).toBe(true)
    drained.open()
    await clock.advance(0)
    expect(log).toEqual(['1500 start 1'])
    await clock.advance(10)
  })

  it('does not wait more than two seconds for the others', async () => {
    const { clock, lane, log } = setUp([10], { busy: true })
    lane.wake()
    await clock.advance(1999)
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log).toEqual(['2000 start 1'])
    await clock.advance(10_000)
  })

  it('lets the others go on when a suspect is still in flight after a second', async () => {
    const { clock, lane, log } = setUp([15_000])
    lane.wake()
    await clock.advance(999)
    expect(lane.holding).toBe(true)
    await clock.advance(1)
    expect(lane.holding).toBe(false)
    await clock.advance(60_000)
    expect(log).toEqual(['0 start 1', '1000 open', '15000 end 1', '15000 open'])
  })

  it('runs one suspect at a time, also while it is open', async () => {
    const { clock, lane, log } = setUp([3000, 10])
    lane.wake()
    await clock.advance(2000)
    lane.wake()
    await clock.advance(999)
    expect(log).toEqual(['0 start 1', '1000 open'])
    await clock.advance(100)
    expect(log.slice(2)).toEqual(['3000 end 1', '3000 start 2', '3010 end 2', '3010 open'])
  })

  it('gives the others five seconds after it has held them for five', async () => {
    const { clock, lane, log } = setUp(Array(14).fill(900) as number[])
    lane.wake()
    await clock.advance(5400)
    expect(log.slice(-2)).toEqual(['5400 end 6', '5400 open'])
    expect(lane.holding).toBe(false)
    await clock.advance(4999)
    expect(lane.holding).toBe(false)
    await clock.advance(1)
    expect(log.at(-1)).toBe('10400 start 7')
    await clock.advance(60_000)
    expect(log.filter((line) => line.includes('end'))).toHaveLength(14)
    expect(lane.holding).toBe(false)
  })

  it('needs no such turn for them after a suspect that was in flight while they went on', async () => {
    const { clock, lane, log } = setUp([15_000, 10])
    lane.wake()
    await clock.advance(20_000)
    expect(log).toContain('15000 start 2')
  })

  it('does not lose a wake-up that comes while it is claiming', async () => {
    const { clock, lane, log, world } = setUp([], { claimMs: 100 })
    lane.wake()
    await clock.advance(50)
    lane.wake()
    await clock.advance(50)
    world.left.push({ claim: claim({ position: 9 }), ms: 5 })
    await clock.advance(1000)
    expect(log).toContain('200 start 9')
  })

  it('opens and stays usable when a claim fails', async () => {
    const { clock, lane, log, world } = setUp([10])
    const broken = new SuspectLane({
      clock,
      drained: () => Promise.resolve(),
      claim: () => Promise.reject(new Error('down')),
      run: () => Promise.resolve(),
      onOpen: () => log.push('open'),
      onError: (error) => world.errors.push(error),
    })
    broken.wake()
    await settled()
    expect(world.errors.map(String)).toEqual(['Error: down'])
    expect(log).toEqual(['open'])
    expect(broken.holding).toBe(false)
    broken.wake()
    await settled()
    expect(world.errors).toHaveLength(2)
    lane.wake()
    await clock.advance(100)
    expect(clock.timers).toBe(0)
  })
})

describe('stopping', () => {
  it('claims nothing more once it has begun', async () => {
    const { clock, lane, log, world } = setUp([10, 10], { busy: true })
    lane.wake()
    await clock.advance(500)
    await lane.stop()
    expect(world.claims).toBe(0)
    expect(log).toEqual(['500 open'])
    lane.wake()
    await clock.advance(60_000)
    expect(world.claims).toBe(0)
    expect(lane.holding).toBe(false)
  })

  it('still runs what it has claimed already, so that it can be given back', async () => {
    const { clock, lane, log } = setUp([10, 10], { claimMs: 100 })
    lane.wake()
    await clock.advance(50)
    let stopped = false
    void lane.stop().then(() => (stopped = true))
    await clock.advance(60)
    expect(log).toEqual(['100 start 1', '110 end 1', '110 open'])
    expect(stopped).toBe(true)
  })

  it('adds no pause for others after the last suspect', async () => {
    const { clock, lane } = setUp(Array(7).fill(900) as number[])
    lane.wake()
    await clock.advance(5000)
    let stopped = false
    void lane.stop().then(() => (stopped = true))
    await clock.advance(400)
    expect(stopped).toBe(true)
    expect(clock.timers).toBe(0)
  })

  it('resolves at any point, when the suspect in flight has ended, and nothing starts after it', async () => {
    const suspects = fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 12 })
    const world = fc.record({ busy: fc.boolean(), claimMs: fc.option(fc.nat(50), { nil: undefined }) })
    await fc.assert(
      fc.asyncProperty(suspects, world, fc.nat(30_000), async (durations, { busy, claimMs }, stopAt) => {
        const { clock, lane, log } = setUp(durations, { busy, ...(claimMs === undefined ? {} : { claimMs }) })
        lane.wake()
        await clock.advance(stopAt)
        let stoppedAfter: number | null = null
        void lane.stop().then(() => (stoppedAfter = clock.monotonic() - 7 - stopAt))
        await clock.advance(4051)
        expect(stoppedAfter).not.toBeNull()
        const before = log.length
        await clock.advance(60_000)
        expect(log).toHaveLength(before)
        expect(log.filter((line) => line.includes('start'))).toHaveLength(
          log.filter((line) => line.includes('end')).length,
        )
        expect(lane.holding).toBe(false)
        expect(clock.timers).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it('is possible before anything happened', async () => {
    const { lane, world } = setUp([10])
    await lane.stop()
    lane.wake()
    await settled()
    expect(world.claims).toBe(0)
  })
})
