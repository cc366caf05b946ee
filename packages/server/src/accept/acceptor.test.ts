import { describe, expect, it } from 'vitest'
import { NOW, accepted, event, text } from '../../test/checked.ts'
import { UNCUT } from '../../test/uncut.ts'
import { settled } from '../../test/fake-clock.ts'
import { acceptorWorld, type Commit } from '../../test/acceptor-world.ts'

const FINGERPRINT = new Uint8Array(32)
const made = (id: number, input: Record<string, unknown> = {}) =>
  accepted(event({ event_id: `evt_event${String(id).padStart(4, '0')}`, ...input })).event

const idsOf = (commit: Commit | undefined) => commit?.batch.items.map(({ eventId }) => Number(eventId.slice(9)))

describe('group commit', () => {
  it('commits the first event at once, and resolves only when the store has', async () => {
    const { acceptor, commits } = acceptorWorld()
    let answer: unknown = null
    void acceptor.accept(made(1), FINGERPRINT, UNCUT).then((result) => (answer = result))
    await settled()
    expect(commits).toHaveLength(1)
    expect(answer).toBeNull()
    commits[0]?.accept()
    await settled()
    expect(answer).toEqual({ kind: 'accepted', eventId: 'evt_event0001', sequence: 1, deliveries: 2, warnings: [] })
    expect(acceptor.stats()).toEqual({ commits: 1, events: 1 })
  })

  it('has one transaction under way, and the next takes all that queued meanwhile, in order', async () => {
    const { acceptor, commits, clock } = acceptorWorld()
    void acceptor.accept(made(0), FINGERPRINT, UNCUT)
    await settled()
    for (let id = 1; id <= 50; id++) void acceptor.accept(made(id), FINGERPRINT, UNCUT)
    await clock.advance(100)
    expect(commits).toHaveLength(1)
    commits[0]?.accept()
    await clock.advance(2)
    expect(commits).toHaveLength(2)
    expect(idsOf(commits[1])).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    commits[1]?.accept()
    await settled()
    expect(acceptor.stats()).toEqual({ commits: 2, events: 51 })
  })

  it('waits until 2 ms after the last commit, and not at all after a pause', async () => {
    const { acceptor, commits, clock } = acceptorWorld()
    const send = (id: number) => void acceptor.accept(made(id), FINGERPRINT, UNCUT)
    send(1)
    await settled()
    commits[0]?.accept()
    await clock.advance(1)
    send(2)
    await settled()
    expect(commits).toHaveLength(1)
    send(3)
    await clock.advance(1)
    expect(idsOf(commits[1])).toEqual([2, 3])
    commits[1]?.accept()
    await clock.advance(2)
    send(4)
    await settled()
    expect(idsOf(commits[2])).toEqual([4])
    expect(clock.timers).toBe(0)
  })

  it('stamps a whole group with the service time of its commit, and says who holds its attempts', async () => {
    const { acceptor, commits, clock } = acceptorWorld()
    await clock.advance(1234)
    void acceptor.accept(made(1), FINGERPRINT, UNCUT)
    await settled()
    expect(commits[0]?.batch).toMatchObject({ nodeId: 'node-a', recordedAt: clock.now() })
    expect(commits[0]?.batch.items[0]?.fingerprint).toBe(FINGERPRINT)
  })
})

describe('a transaction takes', () => {
  async function groups(count: number, input: (id: number) => Record<string, unknown>, endpoints = 2) {
    const world = acceptorWorld({ endpoints })
    void world.acceptor.accept(made(9999), FINGERPRINT, UNCUT)
    await settled()
    for (let id = 0; id < count; id++) void world.acceptor.accept(made(id, input(id)), FINGERPRINT, UNCUT)
    await settled()
    const sizes: number[] = []
    for (let index = 0; index < world.commits.length; index++) {
      const { items } = (world.commits[index] as Commit).batch
      if (index > 0) sizes.push(items.length)
      const bytes = items.reduce((sum, { source }) => sum + source.length, 0)
      const rows = items.reduce((sum, { targets }) => sum + 1 + targets.length, 0)
      expect(items.length === 1 || (bytes <= 4 * 1024 * 1024 && rows <= 5000 && items.length <= 1000)).toBe(true)
      world.commits[index]?.accept()
      await world.clock.advance(2)
    }
    expect(world.resolved()).toBe(0)
    return sizes
  }

  it('at most 1,000 events', async () => {
    expect(await groups(2500, () => ({}))).toEqual([1000, 1000, 500])
  })

  it('at most 4 MB of them', async () => {
    const quarter = 'x'.repeat(1024 * 1024 - 200)
    expect(await groups(9, () => ({ type: 'acme.a', data: { quarter } }))).toEqual([4, 4, 1])
  })

  it('at least one, however large', async () => {
    const big = 'x'.repeat(5 * 1024 * 1024)
    expect(await groups(2, () => ({ type: 'acme.a', data: { big } }))).toEqual([1, 1])
  })

  it('at most 5,000 rows, deliveries counted', async () => {
    expect(await groups(120, () => ({}), 99)).toEqual([50, 50, 20])
  })
})

describe('slots', () => {
  it('are reserved when the group is committed, one for each target while there are any', async () => {
    const { acceptor, commits, slots } = acceptorWorld()
    slots.free.set('ep_0', 1)
    slots.free.set('ep_1', 0)
    void acceptor.accept(made(1), FINGERPRINT, UNCUT)
    void acceptor.accept(made(2), FINGERPRINT, UNCUT)
    await settled()
    const grants = commits.flatMap(({ batch }) => batch.items.map(({ targets }) => targets.map(({ grant }) => grant)))
    expect(grants[0]).toEqual([true, false])
    expect(slots.reserved()).toBe(1)
    expect(slots.starts).toEqual([])
  })

  it('are handed on with the claim and the right bytes; the others are woken', async () => {
    const { acceptor, commits, slots, clock } = acceptorWorld({ configVersion: 7 })
    slots.free.set('ep_1', 0)
    const lasting = { tenant_id: 'acme', expires_at: '2026-11-24T00:00:00Z' }
    const checked = made(1, { type: 'acme.a', data: { text: 'Zoë' }, ...lasting })
    void acceptor.accept(checked, FINGERPRINT, UNCUT)
    await settled()
    const target = commits[0]?.batch.items[0]?.targets[0]
    commits[0]?.accept({ sequence: 41 })
    await settled()
    expect(slots.starts).toHaveLength(1)
    const [{ claims, configVersion }] = slots.starts as [(typeof slots.starts)[number]]
    expect(configVersion).toBe(7)
    expect(claims).toHaveLength(1)
    expect(claims[0]).toMatchObject({
      position: 1001,
      number: 1,
      deliveryId: target?.deliveryId,
      endpointId: 'ep_0',
      tenantId: 'acme',
      mode: 'live',
      eventId: 'evt_event0001',
      eventType: 'acme.a',
      runId: 'run-1',
      trigger: 'scheduled',
      cycleStart: 1,
      deadline: Date.UTC(2026, 10, 24),
      suspect: false,
      crashesAlone: 0,
    })
    const body = JSON.parse(text(claims[0]?.body as Uint8Array)) as Record<string, unknown>
    expect(body).toMatchObject({ event_id: 'evt_event0001', sequence: 41, data: { text: 'Zoë' }, tenant_id: 'acme' })
    expect(body['recorded_at']).toBe(new Date(clock.now()).toISOString())
    expect(body['timestamp']).toBe(new Date(NOW).toISOString())
    expect(slots.woken).toEqual([['ep_1']])
    expect(slots.reserved()).toBe(0)
  })

  it('are never asked for an ordered endpoint', async () => {
    const { acceptor, commits, slots } = acceptorWorld({ ordered: ['ep_0'] })
    void acceptor.accept(made(1), FINGERPRINT, UNCUT)
    await settled()
    expect(commits[0]?.batch.items[0]?.targets.map(({ grant }) => grant)).toEqual([false, true])
    expect(slots.asked).toEqual(['ep_1'])
    commits[0]?.accept()
    await settled()
    expect(slots.woken).toEqual([['ep_0']])
  })

  it('are given back for duplicates and conflicts, which start and wake nothing', async () => {
    const { acceptor, commits, slots, clock } = acceptorWorld()
    void acceptor.accept(made(0), FINGERPRINT, UNCUT)
    await settled()
    const answers = Promise.all([
      acceptor.accept(made(1), FINGERPRINT, UNCUT),
      acceptor.accept(made(2), FINGERPRINT, UNCUT),
    ])
    commits[0]?.accept()
    await clock.advance(2)
    slots.starts.length = 0
    expect(slots.reserved()).toBe(4)
    commits[1]?.answer([
      { kind: 'duplicate', eventId: 'evt_first0001', sequence: 3, recordedAt: NOW, deliveries: 1, warnings: [] },
      { kind: 'conflict', eventId: 'evt_event0002' },
    ])
    expect(await answers).toMatchObject([
      { kind: 'duplicate', eventId: 'evt_first0001', sequence: 3, deliveries: 1 },
      { kind: 'conflict', eventId: 'evt_event0002' },
    ])
    expect(slots.reserved()).toBe(0)
    expect(slots.starts).toEqual([])
    expect(slots.woken).toEqual([])
  })

  it('are given back when the store rejects, which asks for strays to be found; the next commit goes on', async () => {
    const { acceptor, commits, slots, clock } = acceptorWorld()
    const lost = acceptor.accept(made(1), FINGERPRINT, UNCUT)
    await settled()
    const kept = acceptor.accept(made(2), FINGERPRINT, UNCUT)
    const error = new Error('down')
    commits[0]?.fail(error)
    await expect(lost).rejects.toBe(error)
    expect(slots.log.slice(-3)).toEqual(['release ep_0', 'release ep_1', 'reconcile'])
    expect(slots.starts).toEqual([])
    await clock.advance(2)
    commits[1]?.accept()
    expect(await kept).toMatchObject({ kind: 'accepted' })
    expect(acceptor.stats()).toEqual({ commits: 1, events: 1 })
  })
})

describe('an event that was matched with endpoints that have changed', () => {
  it('is matched again, tried again, and goes to the new endpoints', async () => {
    const { acceptor, commits, slots, clock, change } = acceptorWorld({ configVersion: 1 })
    const answer = acceptor.accept(made(1), FINGERPRINT, UNCUT)
    await settled()
    change({ configVersion: 2, endpoints: 3 })
    commits[0]?.answer([{ kind: 'stale', configVersion: 2 }])
    await clock.advance(2)
    expect(slots.log.filter((line) => line.startsWith('release'))).toEqual(['release ep_0', 'release ep_1'])
    expect(commits).toHaveLength(2)
    const [item] = (commits[1] as Commit).batch.items
    expect(item?.configVersion).toBe(2)
    expect(item?.targets.map(({ endpointId }) => endpointId)).toEqual(['ep_0', 'ep_1', 'ep_2'])
    expect(item?.fingerprint).toBe(FINGERPRINT)
    commits[1]?.accept()
    expect(await answer).toMatchObject({ kind: 'accepted', deliveries: 3 })
    expect(slots.starts[0]?.configVersion).toBe(2)
    expect(slots.starts[0]?.claims.map(({ endpointId }) => endpointId)).toEqual(['ep_0', 'ep_1', 'ep_2'])
  })

  it('does not hold up the rest of its group', async () => {
    const { acceptor, commits, clock, change } = acceptorWorld()
    void acceptor.accept(made(0), FINGERPRINT, UNCUT)
    await settled()
    const stale = acceptor.accept(made(1), FINGERPRINT, UNCUT)
    const fresh = acceptor.accept(made(2), FINGERPRINT, UNCUT)
    commits[0]?.accept()
    await clock.advance(2)
    change({ configVersion: 2 })
    commits[1]?.answer([{ kind: 'stale', configVersion: 2 }, commits[1].accepted(1)])
    expect(await fresh).toMatchObject({ kind: 'accepted', eventId: 'evt_event0002' })
    await clock.advance(2)
    commits[2]?.accept()
    expect(await stale).toMatchObject({ kind: 'accepted', eventId: 'evt_event0001' })
  })
})

describe('an event whose endpoints cannot be read', () => {
  it('is rejected, and harms no other', async () => {
    const { acceptor, commits, breakMatching } = acceptorWorld()
    breakMatching(new Error('down'))
    await expect(acceptor.accept(made(1), FINGERPRINT, UNCUT)).rejects.toThrow('down')
    breakMatching(null)
    const next = acceptor.accept(made(2), FINGERPRINT, UNCUT)
    await settled()
    commits[0]?.accept()
    expect(await next).toMatchObject({ kind: 'accepted' })
  })
})
