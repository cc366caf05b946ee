import { beforeEach, describe, expect, it } from 'vitest'
import { BulkReplayer } from '../../maintenance/bulk-replayer.ts'
import { newId } from '../../core/new-id.ts'
import { bodyNow } from '../read/body-now.ts'
import { passesNow } from '../read/passes-now.ts'
import { endInFlight, publishDead } from '../testing/dead-letters.ts'
import { createTestApi, NODE_ID, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
let replayer: BulkReplayer
let stopping: boolean
beforeEach(async () => {
  test = await createTestApi()
  stopping = false
  replayer = replayerOf(test)
})

const YEAR = 365 * 86_400_000

function replayerOf({ context, store, clock }: TestApi, nodeId = NODE_ID): BulkReplayer {
  return new BulkReplayer({
    ...{ store, clock, nodeId, keepMs: { live: YEAR, test: YEAR } },
    passes: (event, endpoint) => passesNow(context, event, endpoint),
    render: (event, endpoint) => bodyNow(context, event, endpoint),
    newDeliveryId: (mode) => newId('delivery', mode, clock.now(), context.random),
    wake: (endpointIds) => context.wake({ endpointIds }),
    stopping: () => stopping,
  })
}

/** A round a second later. */
async function round(worker = replayer): Promise<number> {
  test.clock.advance(1000)
  return (await worker.runOnce()).replayed
}

const create = (body: unknown, key = test.key) => test.post('/v1/replays', { body, key })
const shown = async (id: string) => (await test.get(`/v1/replays/${id}`)).json
const statuses = async () =>
  ((await test.get('/v1/deliveries?limit=200')).json.data as { status: string }[]).map(({ status }) => status)

describe('a dry run', () => {
  it('says what would be replayed and skipped, by endpoint and type, and changes nothing', async () => {
    const endpoint = await test.addEndpoint()
    for (let count = 0; count < 3; count++) await publishDead(test)
    const erased = await publishDead(test)
    await test.post(`/v1/events/${erased}/erase`)
    const before = (await test.get('/v1/audit-log')).json
    const answer = await create({ dry_run: true })
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        ...{ dry_run: true, matched: 4, replayable: 3 },
        by_endpoint: [{ endpoint_id: endpoint, count: 4 }],
        by_type: [{ type: 'acme.invoice.drafted', count: 4 }],
        skipped: { endpoint_deleted: 0, payload_gone: 1, policy_changed: 0, already_there: 0, changed: 0 },
      },
    ])
    expect((await test.get('/v1/audit-log')).json).toEqual(before)
    expect((await test.get('/v1/replays')).json.data).toEqual([])
    expect(await round()).toBe(0)
    expect(new Set(await statuses())).toEqual(new Set(['dead_lettered']))
  })
})

describe('a bulk replay', () => {
  it('reopens what was matched, tells delivery of it, and shows how far it is and what came of it', async () => {
    const endpoint = await test.addEndpoint()
    for (let count = 0; count < 3; count++) await publishDead(test)
    const made = await create({ filter: { endpoint_id: endpoint }, rate_per_second: 2 })
    expect(made).toMatchObject({
      status: 202,
      json: { status: 'running', matched: 3, replayed: 0, rate_per_second: 2 },
    })
    const { id } = made.json
    expect(id).toMatch(/^rpl_test_/)
    await publishDead(test)
    expect(await round()).toBe(1)
    expect([...(test.wakes.at(-1)?.endpointIds ?? [])]).toEqual([endpoint])
    expect(await shown(id)).toMatchObject({ status: 'running', replayed: 1, outcomes: { pending: 1 } })
    expect([await round(), await round()]).toEqual([1, 1])
    expect(await shown(id)).toMatchObject({ replayed: 3, skipped: { changed: 0 } })
    await round()
    expect(await shown(id)).toMatchObject({ status: 'completed', ended_at: expect.any(String) })
    expect((await statuses()).toSorted()).toEqual(['dead_lettered', 'pending', 'pending', 'pending'])
    const { claims } = await test.store.claimDue({
      ...{ nodeId: NODE_ID, now: test.clock.now(), requests: [{ endpointId: endpoint, limit: 2 }] },
    })
    test.slots.started.push(...claims)
    await endInFlight(test, 'delivered')
    await round()
    expect(await shown(id)).toMatchObject({ outcomes: { delivered: 2, pending: 1, dead_lettered: 0 } })
    expect((await test.get('/v1/replays')).json).toMatchObject({ data: [{ id }], next_cursor: null })
    const { data } = (await test.get('/v1/audit-log?action=replay.created')).json
    expect(data).toMatchObject([{ target: id, detail: { matched: 3, filter: { endpoint_id: endpoint } } }])
  })

  it('can be cancelled: what it has reopened goes on, and the rest stays', async () => {
    await test.addEndpoint()
    for (let count = 0; count < 3; count++) await publishDead(test)
    const { id } = (await create({ rate_per_second: 2 })).json
    expect(await round()).toBe(1)
    const cancelled = await test.post(`/v1/replays/${id}/cancel`)
    expect(cancelled).toMatchObject({ status: 200, json: { id, status: 'cancelled', replayed: 1 } })
    expect(await round()).toBe(0)
    expect((await test.post(`/v1/replays/${id}/cancel`)).json.status).toBe('cancelled')
    expect((await statuses()).filter((status) => status === 'pending')).toHaveLength(1)
    const done = (await create({ rate_per_second: 1000 })).json.id as string
    await round()
    const late = await test.post(`/v1/replays/${done}/cancel`)
    expect(late.json).toMatchObject({ status: 409, code: 'state_conflict' })
    expect((await test.get('/v1/audit-log?action=replay.cancelled')).json.data).toHaveLength(1)
  })

  it('goes on at another node where the first one dies, whatever answers were lost', async () => {
    await test.addEndpoint()
    for (let count = 0; count < 5; count++) await publishDead(test)
    const { id } = (await create({ rate_per_second: 2 })).json
    expect(await round()).toBe(1)
    const advance = test.store.advanceBulkReplay.bind(test.store)
    test.store.advanceBulkReplay = async (input) => {
      await advance(input)
      throw new Error('the answer was lost')
    }
    await expect(round()).rejects.toThrow('lost')
    test.store.advanceBulkReplay = advance
    expect(await shown(id)).toMatchObject({ replayed: 2 })
    await test.store.joinNode({ nodeId: 'node_other', leaseMs: 1e9 })
    const other = replayerOf(test, 'node_other')
    expect(await round(other)).toBe(0)
    await test.store.leaveNode({ nodeId: NODE_ID, highWater: 0 })
    expect(await round(other)).toBe(1)
    // The first one lives after all, and finds that it is not its own any more.
    expect(await round(replayer)).toBe(0)
    while ((await shown(id)).status === 'running') await round(other)
    expect(await shown(id)).toMatchObject({ status: 'completed', matched: 5, replayed: 5 })
    expect(await statuses()).toEqual(['pending', 'pending', 'pending', 'pending', 'pending'])
  })

  it('stops between two steps when the server does', async () => {
    await test.addEndpoint()
    for (let count = 0; count < 3; count++) await publishDead(test)
    await create({ rate_per_second: 1000 })
    stopping = true
    expect(await round()).toBe(0)
  })

  it('several go on beside each other, each at its rate', async () => {
    const [one, two] = [await test.addEndpoint({ event_types: ['acme.invoice.*'] }), await test.addEndpoint()]
    for (let count = 0; count < 4; count++) await publishDead(test)
    const ids = []
    for (const endpoint of [one, two]) {
      const rate_per_second = endpoint === one ? 2 : 1000
      ids.push((await create({ filter: { endpoint_id: endpoint }, rate_per_second })).json.id as string)
    }
    await round()
    await round()
    expect(await shown(ids[0] as string)).toMatchObject({ replayed: 2, status: 'running' })
    expect(await shown(ids[1] as string)).toMatchObject({ replayed: 4, status: 'completed' })
  })

  it('one that fails again and again holds up no other', async () => {
    const [one, two] = [await test.addEndpoint(), await test.addEndpoint()]
    for (let count = 0; count < 3; count++) await publishDead(test)
    const begin = async (endpoint_id: string) =>
      (await create({ filter: { endpoint_id }, rate_per_second: 1000 })).json.id as string
    const ids = [await begin(one), await begin(two)]
    const advance = test.store.advanceBulkReplay.bind(test.store)
    let broken: number | null = null
    test.store.advanceBulkReplay = (input) => {
      broken ??= input.replay
      return input.replay === broken ? Promise.reject(new Error('broken')) : advance(input)
    }
    await expect(round()).rejects.toThrow('broken')
    expect(await shown(ids[0] as string)).toMatchObject({ status: 'running', replayed: 0 })
    expect(await shown(ids[1] as string)).toMatchObject({ status: 'completed', replayed: 3 })
    test.store.advanceBulkReplay = advance
    await round()
    expect(await shown(ids[0] as string)).toMatchObject({ status: 'completed', replayed: 3 })
  })

  it('forgets what ended longer ago than events are kept', async () => {
    const { id } = (await create({})).json
    await round()
    expect(await shown(id)).toMatchObject({ status: 'completed', matched: 0 })
    test.clock.advance(YEAR + 2000)
    await round()
    await round()
    expect((await test.get(`/v1/replays/${id}`)).status).toBe(404)
  })
})

describe('a replay to an endpoint that was made later', () => {
  it('gives it the events it has subscribed to and has not had, oldest first, cut to its grants', async () => {
    const ids: string[] = []
    for (let count = 0; count < 5; count++) {
      const event = sampleEvent()
      ids.push(String(event['event_id']))
      await test.post('/v1/events', { body: event })
    }
    const later = await test.addEndpoint({ event_types: ['acme.invoice.*'] })
    await test.post(`/v1/events/${ids[1]}/replay`, { body: { endpoint_id: later } })
    await test.post(`/v1/events/${ids[2]}/erase`)
    const body = { to_endpoint_id: later, rate_per_second: 1000 }
    const preview = (await create({ ...body, dry_run: true })).json
    expect(preview).toMatchObject({ matched: 5, replayable: 3, skipped: { already_there: 1, payload_gone: 1 } })
    const { id } = (await create(body)).json
    await test.post('/v1/events', { body: sampleEvent() })
    await round()
    const done = await shown(id)
    expect(done).toMatchObject({ status: 'completed', replayed: 3, to_endpoint_id: later, filter: {} })
    expect(done.skipped).toEqual({ ...preview.skipped, changed: 0 })
    const { data } = (await test.get(`/v1/deliveries?endpoint_id=${later}`)).json
    expect(
      data
        .map(({ event_id }: { event_id: string }) => event_id)
        .toReversed()
        .slice(2),
    ).toEqual([ids[0], ids[3], ids[4]])
    const again = (await create(body)).json.id as string
    await round()
    expect(await shown(again)).toMatchObject({ replayed: 0, skipped: { already_there: 5 } })
  })

  it('goes by filters on events, waits for its rate, and ends where the endpoint is deleted', async () => {
    for (let count = 0; count < 4; count++) await test.post('/v1/events', { body: sampleEvent({ run_id: 'run-1' }) })
    await test.post('/v1/events', { body: sampleEvent() })
    const later = await test.addEndpoint()
    const body = { to_endpoint_id: later, filter: { run_id: 'run-1' }, rate_per_second: 2 }
    const { id, matched } = (await create(body)).json
    expect(matched).toBe(4)
    expect(await round()).toBe(1)
    await test.ask('DELETE', `/v1/endpoints/${later}`)
    await round()
    expect(await shown(id)).toMatchObject({ status: 'completed', replayed: 1, skipped: { changed: 3 } })
  })
})

describe('what cannot be asked for', () => {
  it.each([
    [{ filter: { status: ['pending'] } }, '/filter/status/0'],
    [{ filter: { status: [] } }, '/filter/status'],
    [{ filter: { type: ['Acme'] } }, '/filter/type/0'],
    [{ filter: { error_code: 'teapot' } }, '/filter/error_code'],
    [{ filter: { run_id: '-' } }, '/filter/run_id'],
    [{ filter: { since: 'yesterday' } }, '/filter/since'],
    [{ filter: { since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' } }, '/filter/until'],
    [{ filter: { endpoint: 'ep_1' } }, '/filter/endpoint'],
    [{ to_endpoint_id: 'ep_1', filter: { endpoint_id: 'ep_2' } }, '/filter/endpoint_id'],
    [{ to_endpoint_id: 'ep_1', filter: { status: ['expired'] } }, '/filter/status'],
    [{ rate_per_second: 0 }, '/rate_per_second'],
    [{ rate_per_second: 10_001 }, '/rate_per_second'],
    [{ dry_run: 'yes' }, '/dry_run'],
  ])('%j', async (body, path) => {
    const { json } = await create(body)
    expect(json).toMatchObject({ status: 422, code: 'invalid_request', suggested_fix: expect.stringMatching(/./) })
    expect(json.errors[0]).toMatchObject({ path, message: expect.stringMatching(/./) })
  })

  it('more than twenty at once', async () => {
    for (let count = 0; count < 20; count++) expect((await create({})).status).toBe(202)
    expect((await create({})).json).toMatchObject({ status: 429, code: 'quota_exceeded' })
    expect((await create({ dry_run: true })).status).toBe(200)
  })

  it('what belongs to another tenant', async () => {
    const key = await test.addKey({ tenantId: 'acme' })
    const wide = await test.addEndpoint({ tenant_id: '*' })
    const [own, other] = [await test.addEndpoint({}, key), await test.addEndpoint()]
    await publishDead(test, { tenant_id: 'acme' })
    await publishDead(test)
    expect((await create({ filter: { tenant_id: 'default' } }, key)).json.code).toBe('insufficient_scope')
    for (const to_endpoint_id of [wide, other, 'ep_none']) {
      expect((await create({ to_endpoint_id }, key)).status).toBe(404)
    }
    expect((await create({ to_endpoint_id: own, filter: { tenant_id: 'default' } })).status).toBe(404)
    const mine = await create({}, key)
    expect(mine.json).toMatchObject({ tenant_id: 'acme', matched: 2 })
    const all = (await create({})).json
    expect(all).toMatchObject({ tenant_id: null, matched: 4 })
    expect((await test.get(`/v1/replays/${all.id}`, { key })).status).toBe(404)
    expect((await test.post(`/v1/replays/${all.id}/cancel`, { key })).status).toBe(404)
    expect((await test.get('/v1/replays', { key })).json.data).toMatchObject([{ id: mine.json.id }])
    expect((await create({ filter: { tenant_id: 'acme' }, dry_run: true })).json.matched).toBe(2)
  })
})
