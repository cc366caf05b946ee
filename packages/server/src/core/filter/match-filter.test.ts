import { describe, expect, it } from 'vitest'
import { accepted, event } from '../../../test/checked.ts'
import { CONTAINER } from './event-view.ts'
import { explainFilter, matchesFilter } from './match-filter.ts'
import { readFilter } from './read-filter.ts'

function filterOf(value: unknown) {
  const read = readFilter(value)
  if (!read.ok) throw new Error(JSON.stringify(read.errors))
  return read.filter
}

const viewOf = (source: Parameters<typeof accepted>[0]) => accepted(source).bodies.view()
const passes = (filter: unknown, source: Parameters<typeof accepted>[0]) =>
  matchesFilter(filterOf(filter), viewOf(source))

const FAILED = event({
  type: 'agent.tool_call.failed',
  agent: { id: 'refunds', name: 'Zoë' },
  metadata: { plan: 'pro', 'a/b': 'x' },
  data: {
    tool_call_id: 'call_1',
    tool: { name: 'pay' },
    status: 'failed',
    duration_ms: 1200,
    input: { card: 'secret' },
    error: { code: 'rate_limited', message: 'Later.', retryable: true, origin: 'tool', side_effects: 'none' },
  },
})

describe('a condition', () => {
  it.each([
    [{ '/type': { prefix: 'agent.tool_call.' } }, true],
    [{ '/data/status': ['failed', 'timed_out'], '/data/duration_ms': { gte: 1200, lt: 1201 } }, true],
    [{ '/data/duration_ms': { gt: 1200 } }, false],
    [{ '/data/duration_ms': '1200' }, false],
    [{ '/data/error/code': { not: ['timeout'] } }, true],
    [{ '/data/error/retryable': true }, true],
    [{ '/metadata/plan': 'pro', '/metadata/a~1b': 'x', '/agent/id': 'refunds' }, true],
    [{ '/metadata/constructor': { exists: true } }, false],
    [{ '/task_id': { exists: false }, '/run_id': 'run-1' }, true],
    [{ any: [{ '/data/status': 'done' }, { not: { '/data/status': 'done' } }] }, true],
    [{ '/data/attempt': { not: 2 } }, true],
  ])('%j: %s', (filter, expected) => expect(passes(filter, FAILED)).toBe(expected))

  it('never sees what is not public, whatever it is asked', () => {
    for (const pointer of ['/data/input', '/data/input/card', '/data/error/message', '/data/unknown', '/data/error']) {
      expect(passes({ [pointer]: { exists: true } }, FAILED), pointer).toBe(false)
    }
  })

  it('compares whole numbers exactly, also where a double could not tell them apart', () => {
    const source = (number: string) => `{"type":"acme.a","agent":{"id":"a"},"run_id":"r","data":{"n":${number}}}`
    expect(passes({ '/data/n': 9007199254740991 }, source('9007199254740991'))).toBe(true)
    expect(passes({ '/data/n': { lte: 9007199254740991 } }, source('9007199254740993'))).toBe(false)
    expect(passes({ '/data/n': { gt: 1 } }, source('1E400'))).toBe(true)
    expect(passes({ '/data/n': 0 }, source('-0.0'))).toBe(true)
    expect(passes({ '/data/n': 100 }, source('1e2'))).toBe(true)
  })

  it('reads escaped names and texts as what they mean, and normalises nothing', () => {
    const source = String.raw`{"type":"acme.a","agent":{"id":"a"},"run_id":"r","data":{"\u0061":"\u00e9","\\":"x"}}`
    expect(passes({ '/data/a': 'é' }, source)).toBe(true)
    expect(passes({ '/data/a': 'e\u0301' }, source)).toBe(false)
  })

  it('of an object with thousands of members finds the last as the first', () => {
    const data = Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`f${index}`, index]))
    expect(
      passes({ '/data/f0': 0, '/data/f8999': 8999, '/data/f9000': { exists: false } }, event({ type: 'acme.a', data })),
    ).toBe(true)
  })
})

describe('an explanation', () => {
  it('tells of each condition what it found', () => {
    const filter = filterOf({ '/data/status': 'done', not: { '/data/attempt': 1 }, '/data/list': { exists: true } })
    const view = viewOf(event({ type: 'acme.a', data: { status: 'failed', list: [1] } }))
    expect(explainFilter(filter, view).map(({ condition, found, holds }) => [condition.path, found, holds])).toEqual([
      ['/~1data~1status', 'failed', false],
      ['/not/~1data~1attempt', undefined, false],
      ['/~1data~1list', CONTAINER, true],
    ])
  })
})
