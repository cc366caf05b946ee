import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Lane } from './lane.ts'
import { Lanes } from './lanes.ts'

const idsInLine = (lanes: Lanes, now: number) => [...lanes.inLine(now)].map(({ endpointId }) => endpointId)

describe('the line', () => {
  it('has the lanes that are due, in the order they came', () => {
    const lanes = new Lanes()
    lanes.setDue(lanes.get('b'), 5, 10)
    lanes.setDue(lanes.get('a'), 10, 10)
    lanes.setDue(lanes.get('later'), 11, 10)
    lanes.setDue(lanes.get('never'), null, 10)
    expect(idsInLine(lanes, 10)).toEqual(['b', 'a'])
    expect(lanes.nextDue()).toBe(11)
    expect(idsInLine(lanes, 11)).toEqual(['b', 'a', 'later'])
    expect(lanes.nextDue()).toBeNull()
  })

  it('sends a lane that was served to its end, and nobody else, so that all get their turn', () => {
    const lanes = new Lanes()
    for (const id of ['a', 'b', 'c', 'd']) lanes.setDue(lanes.get(id), 0, 0)
    lanes.served(lanes.get('a'))
    lanes.served(lanes.get('c'))
    expect(idsInLine(lanes, 0)).toEqual(['b', 'd', 'a', 'c'])
    expect(lanes.first(2, 0).map(({ endpointId }) => endpointId)).toEqual(['b', 'd'])
    expect(lanes.first(9, 0)).toHaveLength(4)
    lanes.served(lanes.get('not in line'))
    expect(idsInLine(lanes, 0)).toEqual(['b', 'd', 'a', 'c'])
  })

  it('drops a lane whose next delivery is due later, until then', () => {
    const lanes = new Lanes()
    const lane = lanes.get('a')
    lanes.setDue(lane, 0, 0)
    lanes.setDue(lane, 50, 0)
    expect(idsInLine(lanes, 49)).toEqual([])
    expect(lanes.nextDue()).toBe(50)
    expect(idsInLine(lanes, 50)).toEqual(['a'])
  })

  it('keeps a lane that stepped back out until it is named again', () => {
    const lanes = new Lanes()
    const lane = lanes.get('a')
    lanes.setDue(lane, 0, 0)
    lanes.stepBack(lane)
    expect(idsInLine(lanes, 1000)).toEqual([])
    lanes.dueBy(lane, 500, 1000)
    expect(idsInLine(lanes, 1000)).toEqual(['a'])
  })

  it('brings a lane back at the time it was told, whatever it is due', () => {
    const lanes = new Lanes()
    const lane = lanes.get('a')
    lanes.setDue(lane, 0, 0)
    lanes.retryAt(lane, 70)
    expect(idsInLine(lanes, 69)).toEqual([])
    expect(lanes.nextDue()).toBe(70)
    expect(idsInLine(lanes, 70)).toEqual(['a'])
    expect(lane.nextDue).toBe(0)
  })

  it('moves a due time only earlier by dueBy, and in both directions by setDue', () => {
    const lanes = new Lanes()
    const lane = lanes.get('a')
    lanes.setDue(lane, 50, 0)
    lanes.dueBy(lane, 80, 0)
    expect(lane.nextDue).toBe(50)
    lanes.dueBy(lane, 20, 0)
    expect(lane.nextDue).toBe(20)
    expect(idsInLine(lanes, 20)).toEqual(['a'])
    lanes.setDue(lane, 90, 20)
    expect(idsInLine(lanes, 80)).toEqual([])
    expect(idsInLine(lanes, 90)).toEqual(['a'])
  })
})

describe('the heap', () => {
  it('gives the lanes in the order of their times, like a sorted list', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 60 }), (times) => {
        const lanes = new Lanes()
        times.forEach((at, index) => lanes.setDue(lanes.get(String(index)), at, 0))
        for (const at of [...new Set(times)].toSorted((a, b) => a - b)) {
          expect(lanes.nextDue()).toBe(at)
          const due = new Set(idsInLine(lanes, at))
          expect(due).toEqual(new Set(times.flatMap((time, index) => (time <= at ? [String(index)] : []))))
        }
        expect(lanes.nextDue()).toBeNull()
      }),
    )
  })

  it('holds each lane once, however often its time changes', () => {
    const lanes = new Lanes()
    const lane = lanes.get('a')
    for (let time = 0; time < 1000; time++) {
      lanes.setDue(lane, time + 1, time)
      lanes.setDue(lane, 1_000_000 - time, time)
      expect(idsInLine(lanes, time + 1)).toEqual([])
    }
    let wakes = 0
    for (let next = lanes.nextDue(); next !== null; next = lanes.nextDue()) {
      idsInLine(lanes, next)
      wakes++
    }
    expect(wakes).toBeLessThanOrEqual(2)
  })
})

describe('prune', () => {
  it('forgets what has nothing to do, only when there are many', () => {
    const lanes = new Lanes()
    const idle = lanes.get('idle')
    const busy = lanes.get('busy')
    const due = lanes.get('due')
    const later = lanes.get('later')
    busy.inFlight = 1
    lanes.setDue(due, 0, 0)
    lanes.setDue(later, 100, 0)
    lanes.prune(4)
    expect(lanes.get('idle')).toBe(idle)
    lanes.prune(3)
    expect(lanes.get('idle')).not.toBe(idle)
    expect(lanes.get('busy')).toBe(busy)
    expect(lanes.get('due')).toBe(due)
    expect(lanes.get('later')).toBe(later)
  })
})

/** What the line must be, kept as plain facts: the due time of a lane, and until when it steps aside. */
interface Model {
  now: number
  due: Map<string, number | null>
  /** Stepped back, until it is named again or (number) until then. */
  aside: Map<string, number | null>
}

const id = fc.constantFrom('a', 'b', 'c')
const time = fc.integer({ min: 0, max: 60 })
const action = fc.oneof(
  fc.record({ kind: fc.constant('setDue' as const), id, at: fc.option(time) }),
  fc.record({ kind: fc.constant('dueBy' as const), id, at: time }),
  fc.record({ kind: fc.constant('stepBack' as const), id, at: time }),
  fc.record({ kind: fc.constant('retryAt' as const), id, at: time }),
  fc.record({ kind: fc.constant('pass' as const), id, at: fc.integer({ min: 0, max: 10 }) }),
)
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never

function apply(lanes: Lanes, model: Model, step: Action): void {
  const lane: Lane = lanes.get(step.id)
  const { now } = model
  const due = model.due.get(step.id) ?? null
  if (step.kind === 'pass') model.now += step.at
  else if (step.kind === 'setDue') {
    lanes.setDue(lane, step.at, now)
    model.due.set(step.id, step.at)
    model.aside.delete(step.id)
  } else if (step.kind === 'dueBy') {
    lanes.dueBy(lane, step.at, now)
    if (due === null || step.at < due) model.due.set(step.id, step.at)
    if (due === null || step.at < due || due <= now) model.aside.delete(step.id)
  } else if (step.kind === 'stepBack') {
    lanes.stepBack(lane)
    model.aside.set(step.id, null)
  } else {
    lanes.retryAt(lane, step.at)
    model.aside.set(step.id, step.at)
  }
}

describe('no lane is lost', () => {
  it('whatever happens to it: what is due and not aside is in line, and nothing else that is not due', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (steps) => {
        const lanes = new Lanes()
        const model: Model = { now: 0, due: new Map(), aside: new Map() }
        for (const step of steps) {
          apply(lanes, model, step)
          const { now } = model
          const line = new Set(idsInLine(lanes, now))
          for (const name of ['a', 'b', 'c']) {
            const due = model.due.get(name) ?? null
            const back = model.aside.get(name)
            const isDue = due !== null && due <= now
            if (!isDue) expect(line.has(name), `${name} is not due`).toBe(false)
            if (isDue && (back === undefined || (back !== null && back <= now))) {
              expect(line.has(name), `${name} is due`).toBe(true)
            }
          }
          const next = lanes.nextDue()
          if (next !== null) expect(next).toBeGreaterThan(now)
          const waiting = [...model.due].filter(([name, due]) => due !== null && due > now && !model.aside.has(name))
          for (const [, due] of waiting) expect(next).toBeLessThanOrEqual(due as number)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
