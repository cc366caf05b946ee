import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globProblem, matchesType, subscribes } from './match.ts'

describe('a type glob', () => {
  it.each([
    ['agent.run.completed', 'agent.run.completed', true],
    ['agent.run.completed', 'agent.run.failed', false],
    ['agent.run.completed', 'agent.run.completed.late', false],
    ['agent.run.completed', 'agent.run', false],
    ['agent.run.*', 'agent.run.completed', true],
    ['agent.run.*', 'agent.run.completed.late', true],
    ['agent.run.*', 'agent.run', false],
    ['agent.run.*', 'agent.runs.completed', false],
    ['agent.*', 'agent.run.completed', true],
    ['agent.*', 'agents.run.completed', false],
    ['agent.*.completed', 'agent.run.completed', true],
    ['agent.*.completed', 'agent.tool_call.completed', true],
    ['agent.*.completed', 'agent.completed', false],
    ['agent.*.completed', 'agent.run.step.completed', false],
    ['*.*.completed', 'agent.run.completed', true],
    ['*.run.*', 'acme.run.a.b', true],
    ['*.run.*', 'acme.x.run.a', false],
    ['*.*', 'acme.drafted', true],
    ['*', 'agent.run.completed', true],
    ['*', 'acme.invoice.drafted', true],
  ])('%s against %s: %s', (glob, type, expected) => {
    expect(matchesType(glob, type)).toBe(expected)
  })

  it('never reaches runbell.* unless that is named', () => {
    for (const type of ['runbell.ping', 'runbell.endpoint.failing', 'runbell.delivery.dead_lettered']) {
      for (const glob of ['*', '*.*', '*.ping', '*.endpoint.failing', '*.endpoint.*', '*.*.*', 'agent.*']) {
        expect(matchesType(glob, type), `${glob} ${type}`).toBe(false)
      }
      expect(matchesType('runbell.*', type), type).toBe(true)
    }
    expect(matchesType('runbell.*.failing', 'runbell.endpoint.failing')).toBe(true)
    expect(matchesType('runbell.ping', 'runbell.ping')).toBe(true)
    expect(matchesType('runbell.ping', 'runbell.endpoint.failing')).toBe(false)
  })

  it('hides only the segment runbell, not what begins like it', () => {
    expect(matchesType('*', 'runbells.ping')).toBe(true)
    expect(matchesType('*', 'acme.runbell.ping')).toBe(true)
  })
})

/** The rules of details 13 again, slowly: by splitting off one segment at a time. */
function matchesSlowly(glob: string, type: string): boolean {
  const named = glob === 'runbell' || glob.startsWith('runbell.')
  if (type.startsWith('runbell.') && !named) return false
  const walk = (pattern: string[], segments: string[]): boolean => {
    const [part, ...laterParts] = pattern
    const [segment, ...laterSegments] = segments
    if (part === undefined) return segment === undefined
    if (segment === undefined) return false
    if (part === '*' && laterParts.length === 0) return true
    return (part === '*' || part === segment) && walk(laterParts, laterSegments)
  }
  return walk(glob.split('.'), type.split('.'))
}

const segment = fc.constantFrom('agent', 'run', 'completed', 'runbell', 'ping', 'a', 'runs', 'constructor')
const anyType = fc.array(segment, { minLength: 2, maxLength: 5 }).map((segments) => segments.join('.'))
const anyGlob = fc
  .array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('.'))

describe('matching', () => {
  it('agrees with a slow reference for every glob and type', () => {
    fc.assert(
      fc.property(anyGlob, anyType, (glob, type) => {
        expect(matchesType(glob, type)).toBe(matchesSlowly(glob, type))
      }),
      { numRuns: 3000 },
    )
  })

  it('holds for a list where any of its globs matches, and for an empty list where * would', () => {
    fc.assert(
      fc.property(fc.array(anyGlob, { maxLength: 4 }), anyType, (globs, type) => {
        const list = globs.length === 0 ? ['*'] : globs
        expect(subscribes(globs, type)).toBe(list.some((glob) => matchesSlowly(glob, type)))
      }),
    )
    expect(subscribes([], 'runbell.ping')).toBe(false)
    expect(subscribes(['*', 'runbell.*'], 'runbell.ping')).toBe(true)
  })
})

describe('globProblem', () => {
  it('lets every type name and every glob of the design through', () => {
    for (const glob of ['*', '*.*', 'agent.run.completed', 'agent.*', 'agent.*.completed', 'runbell.*', 'a.b.c.d.e']) {
      expect(globProblem(glob), glob).toBeNull()
    }
  })

  it('refuses what can never name a type', () => {
    const bad = [
      '',
      '.',
      'agent.',
      '.agent',
      'agent..run',
      '**',
      'agent.r*',
      'Agent.run',
      '1a.b',
      'a.b.c.d.e.f',
      'a b.c',
    ]
    for (const glob of [...bad, 'agent.run\n', `a.${'b'.repeat(99)}`]) expect(globProblem(glob), glob).not.toBeNull()
  })
})
