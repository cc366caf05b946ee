import { describe, expect, it, vi } from 'vitest'
import { acceptAll, away, publishServer, refuseAll, runbellWith, type Reply } from '../../test/publish-server.ts'

/** A reply that waits until it is let go. */
function held(reply: Reply = acceptAll) {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => void (open = resolve))
  const wait: Reply = async (request) => {
    await opened
    return reply(request)
  }
  return { wait, open: () => open() }
}

const typesOf = (server: ReturnType<typeof publishServer>) => server.posted().map(({ type }) => type)

describe('the order of a run', () => {
  it('holds while one event is tried again, and other runs go on meanwhile', async () => {
    const server = publishServer(({ path, events }) => {
      const [event] = events
      if (event?.type === 'acme.a.one' && server.posted().filter(({ type }) => type === 'acme.a.one').length < 3) {
        return 'broken'
      }
      return acceptAll({ path, events })
    })
    const { runbell, lost } = runbellWith(server)
    for (const type of ['acme.a.one', 'acme.a.two', 'acme.a.three'])
      void runbell.emit(type, { run_id: 'run_1', data: {} })
    void runbell.emit('acme.b.one', { run_id: 'run_2', data: {} })
    expect(await runbell.flush()).toBe(true)
    const seen = typesOf(server)
    expect(seen.filter((type) => type.startsWith('acme.a'))).toEqual([
      'acme.a.one',
      'acme.a.one',
      'acme.a.one',
      'acme.a.two',
      'acme.a.three',
    ])
    expect(seen.indexOf('acme.b.one')).toBeLessThan(seen.indexOf('acme.a.two'))
    expect(lost).toEqual([])
  })

  it('is that of the calls, with the data as it was then', async () => {
    const server = publishServer()
    const { runbell } = runbellWith(server)
    const data = { step: 1 }
    void runbell.emit('acme.a.one', { run_id: 'run_1', data })
    data.step = 2
    void runbell.emit('acme.a.one', { run_id: 'run_1', data })
    await runbell.flush()
    expect(server.posted().map((event) => event.data)).toEqual([{ step: 1 }, { step: 2 }])
  })

  it('holds for runs of the same id in two tenants each, and events without a run have none', async () => {
    const hold = held()
    const server = publishServer(hold.wait)
    const { runbell } = runbellWith(server)
    for (const tenant_id of ['a', 'b']) {
      for (const type of ['acme.x.one', 'acme.x.two']) void runbell.emit(type, { run_id: 'run_1', tenant_id, data: {} })
    }
    void runbell.emit('acme.x.free', { data: {} })
    void runbell.emit('acme.x.free', { data: {} })
    await vi.waitUntil(() => server.requests.length === 4)
    expect(typesOf(server)).toEqual(['acme.x.one', 'acme.x.one', 'acme.x.free', 'acme.x.free'])
    hold.open()
    await runbell.flush()
    expect(typesOf(server).slice(4)).toEqual(['acme.x.two', 'acme.x.two'])
  })
})

describe('requests', () => {
  it('are bounded in number, and a wait between tries takes no place', async () => {
    const hold = held()
    const server = publishServer(hold.wait)
    const { runbell } = runbellWith(server, { maxRequests: 2 })
    for (let index = 0; index < 10; index++) void runbell.emit('acme.x.one', { data: {} })
    await vi.waitUntil(() => server.requests.length === 2)
    hold.open()
    await runbell.flush()
    expect([server.most, server.requests.length]).toEqual([2, 10])

    const waits: (() => void)[] = []
    const failing = publishServer((request) =>
      request.events[0]?.type === 'acme.x.bad' ? 'broken' : acceptAll(request),
    )
    const sleep = () => new Promise<void>((resolve) => void waits.push(resolve))
    const { runbell: other } = runbellWith(failing, { maxRequests: 1, sleep, retries: 1 })
    void other.emit('acme.x.bad', { data: {} })
    expect(await other.emit('acme.x.good', { data: {} })).not.toBeNull()
    expect(waits).toHaveLength(1)
    waits[0]?.()
    await other.flush()
    expect(failing.requests).toHaveLength(3)
  })
})

describe('batches', () => {
  it('carry what waits, in order, within their bounds', async () => {
    const server = publishServer()
    const { runbell } = runbellWith(server, { batch: { maxEvents: 3, maxDelayMs: 60_000 }, maxRequests: 1 })
    const emitted = ['one', 'two', 'three', 'four'].map((name) =>
      runbell.emit(`acme.x.${name}`, { run_id: 'run_1', data: {} }),
    )
    await runbell.flush()
    expect(server.requests.map(({ path, events }) => [path, events.map(({ type }) => type)])).toEqual([
      ['/v1/events/batch', ['acme.x.one', 'acme.x.two', 'acme.x.three']],
      // One alone is posted as one.
      ['/v1/events', ['acme.x.four']],
    ])
    for (const [index, accepted] of (await Promise.all(emitted)).entries()) {
      expect(accepted).toMatchObject({ event_id: server.posted()[index]?.event_id, duplicate: false })
    }
  })

  it('leave after their delay', async () => {
    const server = publishServer()
    const { runbell } = runbellWith(server, { batch: { maxDelayMs: 5 } })
    const emitted = ['one', 'two'].map((name) => runbell.emit(`acme.x.${name}`, { data: {} }))
    expect(server.requests).toEqual([])
    expect((await Promise.all(emitted)).every((accepted) => accepted !== null)).toBe(true)
    expect(server.requests).toHaveLength(1)
  })

  it('are bounded in bytes, but for an event that alone has more', async () => {
    const server = publishServer()
    const { runbell } = runbellWith(server, { batch: { maxBytes: 1000 }, maxRequests: 1 })
    for (const length of [10, 2000, 300, 300, 300]) void runbell.emit('acme.x.one', { data: 'x'.repeat(length) })
    await runbell.flush()
    expect(server.requests.map(({ events }) => events.length)).toEqual([1, 1, 2, 1])
  })

  it('settle each event by its own result, and repeat only what may succeed, with the same bytes', async () => {
    const problem = (code: string, status: number) => ({ code, status, detail: code, retryable: status >= 429 })
    const server = publishServer((request) => {
      if (server.requests.length > 1) return acceptAll(request)
      const results = request.events.map(({ event_id, type }) => {
        if (type.endsWith('bad')) return { event_id, status: 'rejected', problem: problem('schema_mismatch', 422) }
        if (type.endsWith('late')) return { event_id, status: 'rejected', problem: problem('rate_limited', 429) }
        return { event_id, status: 'duplicate', sequence: 4, deliveries: 0, warnings: [] }
      })
      return { status: 202, headers: { 'retry-after': '2' }, body: { results } }
    })
    const sleep = vi.fn(() => Promise.resolve())
    const { runbell, lost } = runbellWith(server, { batch: true, sleep })
    const emitted = ['good', 'bad', 'late', 'later.late'].map((name) => runbell.emit(`acme.x.${name}`, { data: {} }))
    await runbell.flush()
    expect(await Promise.all(emitted)).toMatchObject([
      { duplicate: true },
      null,
      { duplicate: false },
      { duplicate: false },
    ])
    expect(lost).toEqual([['schema_mismatch', 'acme.x.bad']])
    expect(sleep).toHaveBeenCalledExactlyOnceWith(2125, expect.anything())
    expect(server.requests[1]?.events).toEqual(server.requests[0]?.events.slice(2))
  })

  it('that are refused as a whole are halved, and nothing overtakes what is still to come', async () => {
    const server = publishServer((request) => {
      if (request.events.length > 2) return { status: 413, body: { code: 'payload_too_large' } }
      return acceptAll(request)
    })
    const { runbell, lost } = runbellWith(server, { batch: true })
    for (let index = 0; index < 5; index++) void runbell.emit(`acme.x.n${index}`, { run_id: 'run_1', data: {} })
    await runbell.flush()
    expect(server.requests.map(({ events }) => events.length)).toEqual([5, 3, 2, 1, 2])
    expect(lost).toEqual([])

    let fails = 1
    const shaky = publishServer((request) => {
      if (request.events.length > 2) return { status: 413, body: { code: 'payload_too_large' } }
      return fails-- > 0 ? 'broken' : acceptAll(request)
    })
    const { runbell: other } = runbellWith(shaky, { batch: true })
    for (let index = 0; index < 4; index++) void other.emit(`acme.x.n${index}`, { run_id: 'run_1', data: {} })
    await other.flush()
    expect(shaky.requests.map(({ events }) => events.length)).toEqual([4, 2, 4, 2, 2])
  })

  it.each([{ maxEvents: 0 }, { maxEvents: 1001 }, { maxBytes: 0 }, { maxDelayMs: -1 }, { maxDelayMs: Number.NaN }])(
    'refuse the bounds %j',
    (batch) => {
      expect(() => runbellWith(publishServer(), { batch })).toThrow(TypeError)
    },
  )
})

describe('memory', () => {
  it('is bounded: the new event is dropped, or the one that has waited longest', async () => {
    for (const [whenFull, dropped] of [
      ['drop_newest', 'acme.x.n3'],
      ['drop_oldest', 'acme.x.n1'],
    ] as const) {
      const hold = held()
      const server = publishServer(hold.wait)
      const { runbell, lost } = runbellWith(server, { whenFull, maxOutstanding: 3, maxRequests: 1 })
      for (let index = 0; index < 4; index++) void runbell.emit(`acme.x.n${index}`, { run_id: 'run_1', data: {} })
      await vi.waitUntil(() => lost.length === 1)
      // The first one is on its way: it cannot be called back.
      expect(lost).toEqual([['too_many_outstanding', dropped]])
      expect(runbell.stats()).toMatchObject({ outstanding: 3, lost: { too_many_outstanding: 1 } })
      hold.open()
      await runbell.flush()
      expect(typesOf(server)).toEqual(['n0', 'n1', 'n2', 'n3'].map((n) => `acme.x.${n}`).filter((t) => t !== dropped))
      expect(runbell.stats()).toMatchObject({ outstanding: 0, outstandingBytes: 0, published: 3 })
    }
  })

  it('is bounded in bytes, too, and one event that is too large drops no other', async () => {
    const hold = held()
    const { runbell, lost } = runbellWith(publishServer(hold.wait), {
      maxOutstandingBytes: 2000,
      whenFull: 'drop_oldest',
      maxRequests: 1,
    })
    void runbell.emit('acme.x.first', { data: 'x'.repeat(500) })
    void runbell.emit('acme.x.second', { data: 'é'.repeat(400) })
    void runbell.emit('acme.x.huge', { data: 'x'.repeat(3000) })
    expect(lost).toEqual([['too_many_outstanding', 'acme.x.huge']])
    void runbell.emit('acme.x.third', { data: 'x'.repeat(500) })
    expect(lost.map(([, type]) => type)).toEqual(['acme.x.huge', 'acme.x.second'])
    hold.open()
    await runbell.flush()
  })

  it('keeps nothing of an event that was aborted while it waited', async () => {
    const hold = held()
    const server = publishServer(hold.wait)
    const { runbell } = runbellWith(server, { maxRequests: 1 })
    const stop = new AbortController()
    void runbell.emit('acme.x.one', { run_id: 'run_1', data: {} })
    const aborted = runbell.emit('acme.x.two', { run_id: 'run_1', data: {} }, { signal: stop.signal })
    void runbell.emit('acme.x.three', { run_id: 'run_1', data: {} })
    stop.abort()
    expect(await aborted).toBeNull()
    expect(runbell.stats()).toMatchObject({ outstanding: 2, lost: { aborted: 1 } })
    hold.open()
    await runbell.flush()
    expect(typesOf(server)).toEqual(['acme.x.one', 'acme.x.three'])
  })
})

describe('the end', () => {
  it('flush says whether all was done in time', async () => {
    const hold = held()
    let isOver = true
    const sleep = () => (isOver ? Promise.resolve() : new Promise<void>(() => undefined))
    const { runbell } = runbellWith(publishServer(hold.wait), { sleep })
    void runbell.emit('acme.x.one', { data: {} })
    expect(await runbell.flush(1000)).toBe(false)
    isOver = false
    hold.open()
    expect(await runbell.flush(1000)).toBe(true)
  })

  it('close waits for what is on its way, gives up the rest and takes nothing more', async () => {
    const server = publishServer()
    const { runbell, lost } = runbellWith(server)
    void runbell.emit('acme.x.one', { run_id: 'run_1', data: {} })
    void runbell.emit('acme.x.two', { run_id: 'run_1', data: {} })
    await runbell.close()
    expect(typesOf(server)).toEqual(['acme.x.one', 'acme.x.two'])
    expect(await runbell.emit('acme.x.three', { data: {} })).toBeNull()
    expect(lost).toEqual([['closed', 'acme.x.three']])
  })

  it('close ends requests and waits that would go on for long', async () => {
    const never: Reply = () => new Promise(() => undefined)
    const hanging = runbellWith(publishServer(never))
    for (const type of ['acme.x.one', 'acme.x.two']) void hanging.runbell.emit(type, { run_id: 'run_1', data: {} })
    await hanging.runbell.close(1)
    expect(hanging.lost).toEqual([
      ['closed', 'acme.x.one'],
      ['closed', 'acme.x.two'],
    ])

    const sleep = async (ms: number, signal: AbortSignal | undefined) => {
      if (ms > 1) await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    }
    const waiting = runbellWith(publishServer(away), { sleep })
    void waiting.runbell.emit('acme.x.one', { data: {} })
    await vi.waitUntil(() => waiting.runbell.stats().outstanding === 1)
    await waiting.runbell.close(1)
    expect(waiting.lost).toEqual([['closed', 'acme.x.one']])
  })

  it('is told by the counts', async () => {
    const { runbell } = runbellWith(publishServer(refuseAll(422, 'schema_mismatch')))
    await runbell.emit('acme.x.one', { data: {} })
    expect(runbell.stats()).toEqual({
      outstanding: 0,
      outstandingBytes: 0,
      published: 0,
      spooled: 0,
      publishedFromSpool: 0,
      lost: { schema_mismatch: 1 },
    })
  })
})
