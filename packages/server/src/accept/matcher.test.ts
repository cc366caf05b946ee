import { describe, expect, it } from 'vitest'
import { accepted, event } from '../../test/checked.ts'
import { gate, settled, type Gate } from '../../test/fake-clock.ts'
import { scriptedStore } from '../../test/scripted-store.ts'
import type { CheckedEvent } from '../core/checked-event.ts'
import type { MatchEntry, MatchSet } from '../store/rows.ts'
import { createMatcher } from './matcher.ts'

const PLAIN = { filter: null, format: 'runbell' as const, dataClasses: [], schemaVersions: {} }

const ENTRIES: MatchEntry[] = [
  { endpointId: 'all', eventTypes: [], ordering: 'none', ...PLAIN },
  { endpointId: 'runs', eventTypes: ['agent.run.*'], ordering: 'run', ...PLAIN },
  { endpointId: 'tools', eventTypes: ['agent.tool_call.*', 'acme.*'], ordering: 'none', ...PLAIN },
]

const NO_LIMITS = { eventsPerSecond: null, maxPending: null }

const of = (tenantId: string, input: Record<string, unknown> = {}): CheckedEvent =>
  accepted(event({ tenant_id: tenantId, ...input })).event

function setUp() {
  const reads: string[] = []
  let version = 1
  const { store } = scriptedStore({
    loadMatchSet: async ({ tenantId, mode }) => (
      reads.push(`${mode}:${tenantId}`),
      { configVersion: version, limits: NO_LIMITS, entries: ENTRIES }
    ),
  })
  return { matcher: createMatcher(store, { monotonic: () => 0 }), reads, change: () => ++version }
}

describe('the matcher', () => {
  it('finds the endpoints that subscribe to the type, and says which are ordered', async () => {
    const { matcher } = setUp()
    const want = { format: 'runbell', grants: 0, pin: 1 }
    const run = await matcher.match(of('acme'))
    expect(run).toEqual({
      configVersion: 1,
      filtered: false,
      limits: NO_LIMITS,
      endpoints: [
        { endpointId: 'all', ordered: false, filter: null, want },
        { endpointId: 'runs', ordered: true, filter: null, want },
      ],
    })
    const own = await matcher.match(of('acme', { type: 'acme.invoice.drafted' }))
    expect(own.endpoints.map(({ endpointId }) => endpointId)).toEqual(['all', 'tools'])
  })

  it('reads a tenant once in each mode, and never takes one for another', async () => {
    const { matcher, reads } = setUp()
    expect(matcher.cached(of('acme'))).toBeNull()
    await matcher.match(of('acme'))
    expect(matcher.cached(of('acme'))?.endpoints).toHaveLength(2)
    expect(matcher.cached(of('other'))).toBeNull()
    expect(matcher.cached({ ...of('acme'), mode: 'test' })).toBeNull()
    await matcher.match({ ...of('acme'), mode: 'test' })
    expect(reads).toEqual(['live:acme', 'test:acme'])
  })

  it('forgets what is older than a version, and keeps what is as new', async () => {
    const { matcher, change } = setUp()
    await matcher.match(of('old'))
    change()
    await matcher.match(of('new'))
    matcher.forget(2)
    expect(matcher.cached(of('old'))).toBeNull()
    expect(matcher.cached(of('new'))?.configVersion).toBe(2)
  })

  it('keeps 2,000 tenants, and lets go of the one not asked for longest', async () => {
    const { matcher } = setUp()
    for (let tenant = 0; tenant < 2000; tenant++) await matcher.match(of(`t${tenant}`))
    expect(matcher.cached(of('t0'))).not.toBeNull()
    await matcher.match(of('one more'))
    expect(matcher.cached(of('t0'))).not.toBeNull()
    expect(matcher.cached(of('t1'))).toBeNull()
    expect(matcher.cached(of('t2'))).not.toBeNull()
  })

  it('does not let go of one to read again one that it has', async () => {
    const { matcher } = setUp()
    for (let tenant = 0; tenant < 2000; tenant++) await matcher.match(of(`t${tenant}`))
    await matcher.match(of('t1999'))
    expect(matcher.cached(of('t0'))).not.toBeNull()
  })
})

describe('reading', () => {
  function slow() {
    const reads: Gate<MatchSet>[] = []
    const { store } = scriptedStore({
      loadMatchSet() {
        reads.push(gate<MatchSet>())
        return (reads.at(-1) as Gate<MatchSet>).promise
      },
    })
    return { matcher: createMatcher(store, { monotonic: () => 0 }), reads }
  }

  it('is shared by all events of a tenant that ask at once', async () => {
    const { matcher, reads } = slow()
    const matches = Promise.all(Array.from({ length: 100 }, () => matcher.match(of('acme'))))
    await settled()
    expect(reads).toHaveLength(1)
    reads[0]?.open({ configVersion: 1, limits: NO_LIMITS, entries: ENTRIES })
    expect(await matches).toHaveLength(100)
  })

  it('is not shared with one that began before a change was heard of', async () => {
    const { matcher, reads } = slow()
    const before = matcher.match(of('acme'))
    matcher.forget(2)
    const after = matcher.match(of('acme'))
    expect(reads).toHaveLength(2)
    reads[0]?.open({ configVersion: 1, limits: NO_LIMITS, entries: [] })
    reads[1]?.open({ configVersion: 2, limits: NO_LIMITS, entries: ENTRIES })
    expect((await before).configVersion).toBe(1)
    expect((await after).configVersion).toBe(2)
  })

  it('that failed fails those who asked, and is tried again for the next', async () => {
    const { matcher, reads } = slow()
    const failing = matcher.match(of('acme'))
    reads[0]?.fail(new Error('down'))
    await expect(failing).rejects.toThrow('down')
    const next = matcher.match(of('acme'))
    reads[1]?.open({ configVersion: 1, limits: NO_LIMITS, entries: ENTRIES })
    expect((await next).endpoints).toHaveLength(2)
  })
})
