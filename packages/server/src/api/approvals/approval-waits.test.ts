import { describe, expect, it } from 'vitest'
import { FakeClock, settled } from '../../../test/fake-clock.ts'
import { ApprovalWaits, LOOK_MS } from './approval-waits.ts'

function world() {
  const clock = new FakeClock()
  const ended = new Set<number>()
  const asked: number[][] = []
  const errors: unknown[] = []
  const state = { down: false }
  const waits = new ApprovalWaits({
    store: {
      async findEndedApprovals({ positions }) {
        asked.push(positions)
        if (state.down) throw new Error('down')
        return positions.filter((position) => ended.has(position))
      },
    },
    clock,
    onError: (error) => void errors.push(error),
  })
  const over: number[] = []
  const wait = (position: number, ms = 30_000, signal = new AbortController().signal) =>
    void waits.wait(position, clock.now() + ms, signal).then(() => over.push(position))
  return { clock, ended, asked, errors, state, waits, over, wait }
}

describe('waits for approvals', () => {
  it('end within a second of a decision on another node, and one query asks for all of them', async () => {
    const { clock, ended, asked, over, wait, waits } = world()
    for (let index = 0; index < 500; index++) wait(index % 2)
    await clock.advance(5 * LOOK_MS)
    expect(asked.length).toBeLessThanOrEqual(8)
    expect(asked.at(-1)).toEqual([0, 1])
    ended.add(1)
    await clock.advance(LOOK_MS)
    expect([over.length, new Set(over)]).toEqual([250, new Set([1])])
    expect(waits.size).toBe(250)
  })

  it('end at once when something is decided here, also while a look is under way', async () => {
    const { ended, over, wait, waits } = world()
    wait(1)
    ended.add(1)
    waits.poke()
    await settled()
    expect(over).toEqual([1])
  })

  it('end at their time, when the caller has gone, and when the server stops; then nothing goes on', async () => {
    const { clock, over, wait, waits } = world()
    const caller = new AbortController()
    wait(1, 300)
    wait(2, 30_000, caller.signal)
    wait(3)
    await clock.advance(300)
    expect(over).toEqual([1])
    caller.abort()
    await settled()
    expect(over).toEqual([1, 2])
    waits.stop()
    await settled()
    expect(over).toEqual([1, 2, 3])
    expect([waits.size, clock.timers]).toEqual([0, 0])
    wait(4)
    await settled()
    expect(over).toEqual([1, 2, 3, 4])
  })

  it('are so many and no more: one more is answered at once', async () => {
    const { over, wait, waits } = world()
    for (let index = 0; index < 2000; index++) wait(1)
    wait(2)
    await settled()
    expect([over, waits.size]).toEqual([[2], 2000])
  })

  it('outlast a database that is away', async () => {
    const { clock, ended, errors, over, state, wait } = world()
    state.down = true
    wait(1)
    await clock.advance(3 * LOOK_MS)
    expect(errors.length).toBeGreaterThan(1)
    ended.add(1)
    state.down = false
    await clock.advance(LOOK_MS)
    expect(over).toEqual([1])
  })
})
