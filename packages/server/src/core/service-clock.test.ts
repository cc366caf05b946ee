import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ServiceClock } from './service-clock.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
const YEAR = 365 * DAY
const START = Date.UTC(2026, 0, 5, 12)

/** A clock that is read once a second, while the wall clock does what it is told. */
class Machine {
  readonly clock: ServiceClock
  wall: number
  monotonic = 500
  time: number

  constructor(highWater: number, wall: number) {
    this.wall = wall
    this.clock = new ServiceClock(highWater, wall, this.monotonic)
    this.time = this.clock.read(wall, this.monotonic)
  }

  /** Lets real time pass, and answers with the service time after it. */
  pass(ms: number, step = SECOND): number {
    for (let left = ms; left > 0; left -= step) this.tick(Math.min(step, left))
    return this.time
  }

  jump(ms: number): number {
    this.wall += ms
    return this.tick(0)
  }

  tick(ms: number, wallMs = ms): number {
    this.wall += wallMs
    this.monotonic += ms
    return (this.time = this.clock.read(this.wall, this.monotonic))
  }
}

describe('while running', () => {
  it('is the wall clock where nothing is wrong', () => {
    const machine = new Machine(0, START)
    expect(machine.time).toBe(START)
    expect(machine.pass(10 * MINUTE)).toBe(START + 10 * MINUTE)
    expect(machine.clock.suspicious).toBe(false)
  })

  it.each([
    ['a day ahead', DAY],
    ['a day back', -DAY],
    ['ten years ahead', 10 * YEAR],
    ['ten years back', -10 * YEAR],
    ['six minutes ahead', 6 * MINUTE],
    ['six minutes back', -6 * MINUTE],
  ])('runs on at its own pace and warns when the wall clock jumps %s', (_, jump) => {
    const machine = new Machine(0, START)
    machine.pass(MINUTE)
    expect(machine.jump(jump)).toBe(START + MINUTE)
    expect(machine.clock.suspicious).toBe(true)
    expect(machine.pass(60 * MINUTE)).toBe(START + 61 * MINUTE)
    expect(machine.jump(-jump)).toBe(START + 61 * MINUTE)
    expect(machine.clock.suspicious).toBe(false)
    expect(machine.pass(MINUTE)).toBe(START + 62 * MINUTE)
  })

  it('keeps its own pace over fractions of a millisecond too', () => {
    const machine = new Machine(0, START)
    machine.jump(DAY)
    for (let read = 0; read < 10_000; read++) machine.tick(0.3)
    expect(Math.abs(machine.time - (START + 3000))).toBeLessThanOrEqual(1)
  })

  it('follows within five minutes: ahead at once, back by waiting', () => {
    const machine = new Machine(0, START)
    expect(machine.jump(4 * MINUTE)).toBe(START + 4 * MINUTE)
    expect(machine.jump(-4 * MINUTE)).toBe(START + 4 * MINUTE)
    expect(machine.pass(3 * MINUTE)).toBe(START + 4 * MINUTE)
    expect(machine.pass(2 * MINUTE)).toBe(START + 5 * MINUTE)
    expect(machine.clock.suspicious).toBe(false)
  })

  it('follows a correction of five minutes exactly', () => {
    const machine = new Machine(0, START)
    expect(machine.jump(5 * MINUTE)).toBe(START + 5 * MINUTE)
    expect(machine.jump(5 * MINUTE + 1)).toBe(START + 5 * MINUTE)
  })

  it('does not warn, nor fall behind, where the two clocks of a machine run 100 ppm apart for a year', () => {
    for (const drift of [-1e-4, 1e-4]) {
      const machine = new Machine(0, START)
      for (let hour = 0; hour < 365 * 24; hour++) machine.tick(60 * MINUTE, 60 * MINUTE * (1 + drift))
      expect(machine.clock.suspicious).toBe(false)
      expect(Math.abs(machine.time - machine.wall)).toBeLessThanOrEqual(1)
    }
  })

  it('does not stand still where the wall clock is put back by four minutes again and again', () => {
    const machine = new Machine(0, START)
    for (let step = 0; step < 60; step++) {
      machine.jump(-4 * MINUTE)
      machine.pass(MINUTE)
    }
    expect(machine.time).toBeGreaterThanOrEqual(START + 54 * MINUTE)
  })

  it('does not stand still where the wall clock stands still', () => {
    const machine = new Machine(0, START)
    for (let second = 0; second < 3600; second++) machine.tick(SECOND, 0)
    expect(machine.time).toBeGreaterThanOrEqual(START + 54 * MINUTE)
  })
})

describe('at start', () => {
  it('takes the wall clock on a new database, whatever it says', () => {
    for (const wall of [0, START, START + 10 * YEAR]) expect(new Machine(0, wall).time).toBe(wall)
  })

  it('goes on after an outage of hours, days or weeks', () => {
    for (const outage of [0, SECOND, DAY, 30 * DAY]) {
      const machine = new Machine(START, START + outage)
      expect(machine.time).toBe(START + outage)
      expect(machine.clock.suspicious).toBe(false)
    }
  })

  it.each([
    ['a day back', -DAY],
    ['ten years back', -10 * YEAR],
    ['ten years ahead', 10 * YEAR],
  ])('goes on from the high-water mark and warns when the wall clock is %s', (_, jump) => {
    const machine = new Machine(START, START + jump)
    expect(machine.time).toBe(START)
    expect(machine.clock.suspicious).toBe(true)
    expect(machine.pass(MINUTE)).toBe(START + MINUTE)
    machine.jump(-jump)
    expect(machine.time).toBe(START + MINUTE)
    expect(machine.clock.suspicious).toBe(false)
  })

  it('waits for a wall clock that is a little behind the high-water mark', () => {
    const machine = new Machine(START, START - 2 * MINUTE)
    expect(machine.clock.suspicious).toBe(false)
    expect(machine.pass(2 * MINUTE)).toBe(START)
    expect(machine.pass(MINUTE)).toBe(START + MINUTE)
  })

  it('says that the clock is suspicious before the first reading', () => {
    expect(new ServiceClock(START, START - DAY, 0).suspicious).toBe(true)
    expect(new ServiceClock(START, START - MINUTE, 0).suspicious).toBe(false)
  })
})

const jump = fc.oneof(
  fc.constant(0),
  fc.constantFrom(DAY, -DAY, 10 * YEAR, -10 * YEAR, 4 * MINUTE, -4 * MINUTE, -301_000, 300_000),
  fc.integer({ min: -YEAR, max: YEAR }),
)
const steps = fc.array(fc.record({ pass: fc.double({ min: 0, max: 20 * MINUTE, noNaN: true }), jump }), {
  maxLength: 40,
})

describe('under any jumps', () => {
  it('never goes back, and is a whole number of milliseconds', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(0, START), jump, (path, highWater, first) => {
        const machine = new Machine(highWater, Math.max(0, START + first))
        expect(machine.time).toBeGreaterThanOrEqual(highWater)
        for (const step of path) {
          const before = machine.time
          machine.wall = Math.round(machine.wall + step.jump)
          machine.tick(step.pass, Math.round(step.pass))
          expect(machine.time).toBeGreaterThanOrEqual(before)
          expect(Number.isInteger(machine.time)).toBe(true)
        }
      }),
    )
  })

  it('moves on by the time that passes, give or take five minutes for each reading', () => {
    fc.assert(
      fc.property(steps, (path) => {
        const machine = new Machine(START, START)
        for (const step of path) {
          const before = machine.time
          machine.wall += step.jump
          machine.tick(step.pass)
          expect(machine.time - before).toBeLessThanOrEqual(step.pass + 10 * MINUTE + 1)
        }
      }),
    )
  })

  it('falls behind the time that has passed by no more than five minutes and a hundredth', () => {
    const nudge = fc.record({ pass: fc.nat(2 * MINUTE), jump: fc.integer({ min: -5 * MINUTE, max: MINUTE }) })
    fc.assert(
      fc.property(fc.oneof(steps, fc.array(nudge, { minLength: 30, maxLength: 60 })), (path) => {
        const machine = new Machine(START, START)
        let passed = 0
        for (const step of path) {
          machine.wall += step.jump
          machine.tick(step.pass)
          passed += step.pass
          expect(machine.time).toBeGreaterThanOrEqual(Math.floor(START + passed * 0.99 - 5 * MINUTE) - 1)
        }
      }),
    )
  })
})
