import { expect, test } from 'vitest'
import { DeadlineSweep, type Expiring } from './deadline.ts'

/** A clock that moves only when told, with its timers. */
function fakeTiming() {
  let now = 1000
  let armed = 0
  const timers = new Map<number, { at: number; run: () => void }>()
  return {
    monotonic: () => now,
    after: (ms: number, run: () => void) => {
      const id = ++armed
      timers.set(id, { at: now + ms, run })
      return () => void timers.delete(id)
    },
    timersSet: () => armed,
    timersStanding: () => timers.size,
    advance(ms: number) {
      const end = now + ms
      for (;;) {
        const due = [...timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0]
        if (due === undefined) break
        timers.delete(due[0])
        now = Math.max(now, due[1].at)
        due[1].run()
      }
      now = end
    },
  }
}

function entry(deadlineAt: number, log: number[], timing: { monotonic: () => number }): Expiring {
  return { deadlineAt, expire: () => void log.push(timing.monotonic()) }
}

test('each entry expires once, at its deadline or up to 10 ms later, never before', () => {
  const timing = fakeTiming()
  const sweep = new DeadlineSweep(timing)
  const late: number[] = []
  for (let i = 0; i < 500; i++) {
    const deadlineAt = 1000 + ((i * 7919) % 3000)
    sweep.add({ deadlineAt, expire: () => void late.push(timing.monotonic() - deadlineAt) })
  }
  timing.advance(4000)
  expect(late).toHaveLength(500)
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...late)).toBeLessThanOrEqual(10)
  expect(sweep.size).toBe(0)
})

test('an entry taken out does not expire', () => {
  const timing = fakeTiming()
  const sweep = new DeadlineSweep(timing)
  const log: number[] = []
  const first = entry(1100, log, timing)
  sweep.add(first)
  sweep.add(entry(1200, log, timing))
  sweep.delete(first)
  timing.advance(1000)
  expect(log).toEqual([1200])
})

test('a nearer deadline than the nearest is not late', () => {
  const timing = fakeTiming()
  const sweep = new DeadlineSweep(timing)
  const log: number[] = []
  sweep.add(entry(61_000, log, timing))
  sweep.add(entry(1150, log, timing))
  timing.advance(200)
  expect(log).toEqual([1150])
  timing.advance(60_000)
  expect(log).toEqual([1150, 61_000])
})

test('100,000 short requests with a long deadline set a handful of timers', () => {
  const timing = fakeTiming()
  const sweep = new DeadlineSweep(timing)
  for (let i = 0; i < 100_000; i++) {
    const each: Expiring = { deadlineAt: timing.monotonic() + 15_000, expire: () => {} }
    sweep.add(each)
    timing.advance(0.5)
    sweep.delete(each)
  }
  expect(timing.timersSet()).toBeLessThan(10)
})

test('closed, it keeps no timer beyond its last entry', () => {
  const timing = fakeTiming()
  const sweep = new DeadlineSweep(timing)
  const last = entry(16_000, [], timing)
  sweep.add(last)
  sweep.close()
  expect(timing.timersStanding()).toBe(1)
  sweep.delete(last)
  expect(timing.timersStanding()).toBe(0)
})

test('an entry added by an expiring one gets its own deadline', () => {
  const timing = fakeTiming()
  const sweep = new DeadlineSweep(timing)
  const log: number[] = []
  sweep.add({ deadlineAt: 1100, expire: () => sweep.add(entry(1120, log, timing)) })
  sweep.add(entry(9000, log, timing))
  timing.advance(500)
  expect(log).toEqual([1120])
})
