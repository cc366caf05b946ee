import { describe, expect, it } from 'vitest'
import { FakeClock, gate, settled } from '../../test/fake-clock.ts'
import { createService } from './service.ts'

function setUp(runOnce: () => Promise<unknown>) {
  const clock = new FakeClock()
  const errors: unknown[] = []
  const service = createService({ clock, intervalMs: 100, runOnce, onError: (error) => errors.push(error) })
  return { clock, service, errors }
}

describe('a service', () => {
  it('runs at once when it starts, and again an interval after each round has ended', async () => {
    let rounds = 0
    const { clock, service } = setUp(async () => ++rounds)
    service.start()
    await settled()
    expect(rounds).toBe(1)
    await clock.advance(99)
    expect(rounds).toBe(1)
    await clock.advance(1)
    expect(rounds).toBe(2)
    await service.stop()
  })

  it('never runs two rounds at once, however long one takes', async () => {
    const first = gate()
    let rounds = 0
    const { clock, service } = setUp(() => (++rounds === 1 ? first.promise : Promise.resolve()))
    service.start()
    await clock.advance(1000)
    expect(rounds).toBe(1)
    first.open()
    await clock.advance(99)
    expect(rounds).toBe(1)
    await clock.advance(1)
    expect(rounds).toBe(2)
    await service.stop()
  })

  it('reports a round that failed, and goes on', async () => {
    let rounds = 0
    const { clock, service, errors } = setUp(async () => {
      rounds++
      throw new Error(`round ${rounds}`)
    })
    service.start()
    await clock.advance(250)
    expect(errors.map(String)).toEqual(['Error: round 1', 'Error: round 2', 'Error: round 3'])
    await service.stop()
  })

  it('stops when the round under way has ended, and leaves no timer', async () => {
    const round = gate()
    let rounds = 0
    const { clock, service } = setUp(() => (rounds++, round.promise))
    service.start()
    let stopped = false
    const stopping = service.stop().then(() => (stopped = true))
    await clock.advance(1000)
    expect(stopped).toBe(false)
    round.open()
    await stopping
    await clock.advance(1000)
    expect(rounds).toBe(1)
    expect(clock.timers).toBe(0)
  })

  it('stops between rounds at once, also when it never started', async () => {
    let rounds = 0
    const { clock, service } = setUp(async () => ++rounds)
    await service.stop()
    service.start()
    await settled()
    await service.stop()
    expect(clock.timers).toBe(0)
    await clock.advance(1000)
    expect(rounds).toBe(1)
  })
})
