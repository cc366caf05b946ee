import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EmitError, Runbell, type RunbellOptions } from './index.ts'

const KEY = 'rb_test_abcd0123efgh4567_Runbell0VectorRunbell0VectorRunbell0VectorR_39bf43ad'
const NOW = 1_795_456_935_120

interface Seen {
  url: string | undefined
  headers: IncomingHttpHeaders
  body: string
}

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

type Answer = (response: ServerResponse, body: string) => void

/** A server that gives these answers in turn, the last one for ever. */
async function serve(...answers: Answer[]) {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      seen.push({ url: request.url, headers: request.headers, body })
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      answer?.(response, body)
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const accept: Answer = (response, body) => {
  const { event_id: eventId } = JSON.parse(body) as { event_id: string }
  response.writeHead(202, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ event_id: eventId, sequence: 1, duplicate: false, deliveries: 2, warnings: [] }))
}
const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (response) =>
    void response.writeHead(code, headers).end(body)
const refuse = (code: number, problem: object): Answer =>
  status(code, { 'content-type': 'application/problem+json' }, JSON.stringify({ status: code, ...problem }))
const breakOff: Answer = (response) => void response.socket?.destroy()
const never: Answer = () => undefined

function runbellAt(url: string, options: Partial<RunbellOptions> = {}) {
  const sleeps: number[] = []
  const errors: [EmitError, { event_id: string; type: string }][] = []
  const runbell = new Runbell({
    url,
    key: KEY,
    defaultAgent: { id: 'refund-agent' },
    now: () => NOW,
    random: () => 0.5,
    sleep: async (ms) => void sleeps.push(ms),
    onError: (error, event) => void errors.push([error, event]),
    ...options,
  })
  return { runbell, sleeps, errors }
}

describe('an emitted event', () => {
  it('is posted with everything the server would else have to assume', async () => {
    const { seen, url } = await serve(accept)
    const { runbell, errors } = runbellAt(`${url}/base/`)
    const accepted = await runbell.emit('acme.run.started', { run_id: 'run_1', data: { status: 'running' } })
    expect(errors).toEqual([])
    expect(seen).toHaveLength(1)
    expect(seen[0]?.url).toBe('/base/v1/events')
    expect(seen[0]?.headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'content-type': 'application/json' })
    expect(JSON.parse(seen[0]?.body as string)).toEqual({
      event_id: accepted?.event_id,
      type: 'acme.run.started',
      schema_version: 1,
      timestamp: '2026-11-23T18:02:15.120Z',
      agent: { id: 'refund-agent' },
      run_id: 'run_1',
      data: { status: 'running' },
    })
    expect(accepted).toMatchObject({ event_id: expect.stringMatching(/^evt_test_[0-9a-z]{26}$/), deliveries: 2 })
  })

  it('keeps what its producer says', async () => {
    const { seen, url } = await serve(accept)
    const { runbell } = runbellAt(url, { key: KEY.replace('test', 'live') })
    const own = {
      event_id: 'evt_mine00001',
      timestamp: '2026-01-01T00:00:00.000Z',
      schema_version: 3,
      agent: { id: 'other', version: '2' },
      data: null,
    }
    await runbell.emit('acme.invoice.drafted', own)
    expect(JSON.parse(seen[0]?.body as string)).toEqual({ type: 'acme.invoice.drafted', ...own })
    await runbell.emit('acme.invoice.drafted', { data: {} })
    expect(JSON.parse(seen[1]?.body as string)).toMatchObject({ event_id: expect.stringMatching(/^evt_[0-9a-z]{26}$/) })
  })
})

describe('retries', () => {
  it('send the same bytes until they are accepted', async () => {
    const { seen, url } = await serve(breakOff, status(408), status(429, { 'retry-after': '3' }), status(500), accept)
    const { runbell, sleeps, errors } = runbellAt(url)
    const accepted = await runbell.emit('acme.run.started', { run_id: 'run_1', data: { text: '日本語' } })
    expect(accepted?.event_id).toBe((JSON.parse(seen[0]?.body as string) as { event_id: string }).event_id)
    expect(seen).toHaveLength(5)
    expect(new Set(seen.map(({ body }) => body)).size).toBe(1)
    expect(sleeps).toEqual([187.5, 375, 3125, 1500])
    expect(errors).toEqual([])
  })

  it('end after the number that was set, and what is lost is reported', async () => {
    const { seen, url } = await serve(status(503))
    const { runbell, errors } = runbellAt(url, { retries: 2 })
    expect(await runbell.emit('acme.run.started', { data: {} })).toBeNull()
    expect(seen).toHaveLength(3)
    expect(errors).toEqual([
      [expect.any(EmitError), { event_id: expect.stringMatching(/^evt_test_/), type: 'acme.run.started' }],
    ])
    expect(errors[0]?.[0]).toMatchObject({ code: 'unexpected_answer', status: 503 })
  })

  it('do not come before a Retry-After that is too long to wait for', async () => {
    const { seen, url } = await serve(status(503, { 'retry-after': '3600' }), accept)
    const { runbell, sleeps } = runbellAt(url)
    expect(await runbell.emit('acme.run.started', { data: {} })).toBeNull()
    expect([seen.length, sleeps]).toEqual([1, []])
  })

  it('happen after a timeout', async () => {
    const { seen, url } = await serve(never, accept)
    const { runbell } = runbellAt(url, { timeoutMs: 50 })
    expect(await runbell.emit('acme.run.started', { data: {} })).not.toBeNull()
    expect(seen).toHaveLength(2)
    const silent = await serve(never)
    const { runbell: giving, errors } = runbellAt(silent.url, { timeoutMs: 20, retries: 1 })
    await giving.emit('acme.run.started', { data: {} })
    expect(errors[0]?.[0]).toMatchObject({ code: 'timed_out', retryable: true })
  })

  it('happen after an answer that broke off', async () => {
    const half: Answer = (response) => {
      response.writeHead(202, { 'content-length': '100' }).write('{"event_id"', () => response.socket?.destroy())
    }
    const { seen, url } = await serve(half, accept)
    expect(await runbellAt(url).runbell.emit('acme.run.started', { data: {} })).not.toBeNull()
    expect(seen).toHaveLength(2)
  })

  it.each([
    [
      refuse(422, { code: 'schema_mismatch', detail: 'data.status', request_id: 'req_1', suggested_fix: 'Send it.' }),
      'schema_mismatch',
    ],
    [refuse(409, { code: 'event_conflict' }), 'event_conflict'],
    [refuse(401, { code: 'unauthenticated' }), 'unauthenticated'],
    [refuse(429, { code: 'run_event_budget_exceeded', retryable: false }), 'run_event_budget_exceeded'],
    [status(404, {}, '<html>'), 'unexpected_answer'],
    [status(200, {}, 'hello'), 'unexpected_answer'],
    [status(307, { location: '/elsewhere' }), 'unexpected_answer'],
  ])('do not happen where the same would be refused again: %#', async (answer, code) => {
    const { seen, url } = await serve(answer, accept)
    const { runbell, errors } = runbellAt(url)
    expect(await runbell.emit('acme.run.started', { data: {} })).toBeNull()
    expect(seen).toHaveLength(1)
    expect(errors[0]?.[0]).toMatchObject({ code, retryable: false })
    if (code === 'schema_mismatch') {
      expect(errors[0]?.[0]).toMatchObject({ message: 'data.status', fix: 'Send it.', status: 422, requestId: 'req_1' })
    }
  })
})

describe('the agent', () => {
  it('gets no exception, whatever it emits', async () => {
    const { seen, url } = await serve(accept)
    const { runbell, errors } = runbellAt(url, { defaultAgent: undefined as never })
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const agent = { id: 'a' }
    expect(await runbell.emit('acme.run.started', { agent, data: { big: 1n } })).toBeNull()
    expect(await runbell.emit('acme.run.started', { agent, data: cycle })).toBeNull()
    expect(await runbell.emit('acme.run.started', { data: {} })).toBeNull()
    expect(await runbell.emit('acme.run.started', undefined as never)).toBeNull()
    expect(errors.map(([{ code }]) => code)).toEqual([
      'not_serialisable',
      'not_serialisable',
      'agent_missing',
      'not_serialisable',
    ])
    expect(seen).toEqual([])
  })

  it('gets none from a reporter that throws, nor from a fetch that does', async () => {
    const broken = () => {
      throw new Error('no')
    }
    const { runbell } = runbellAt('http://127.0.0.1:1', { onError: broken, fetch: broken, retries: 0 })
    expect(await runbell.emit('acme.run.started', { data: {} })).toBeNull()
  })

  it('gets it where it wants to: strict', async () => {
    const { url } = await serve(refuse(403, { code: 'insufficient_scope' }))
    const { runbell, errors } = runbellAt(url, { strict: true })
    await expect(runbell.emit('acme.run.started', { data: {} })).rejects.toMatchObject({
      name: 'EmitError',
      code: 'insufficient_scope',
    })
    await expect(runbell.emit('acme.run.started', { data: 1n })).rejects.toMatchObject({ code: 'not_serialisable' })
    expect(errors).toEqual([])
  })

  it('sees on the console what nobody else listens to, without the key and the data', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const runbell = new Runbell({ url: 'http://127.0.0.1:1', key: KEY, retries: 0, defaultAgent: { id: 'a' } })
    await runbell.emit('acme.run.started', { data: { secret: 'hunter2' } })
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/acme\.run\.started evt_test_\w+ was not published: network_failed/),
    )
    expect(JSON.stringify(warn.mock.calls)).not.toMatch(/hunter2|Vector/)
    warn.mockRestore()
  })
})

describe('abort', () => {
  it('before, during a request and during a wait ends the retries', async () => {
    const { seen, url } = await serve(never)
    const { runbell, errors } = runbellAt(url)
    expect(await runbell.emit('acme.run.started', { data: {} }, { signal: AbortSignal.abort() })).toBeNull()
    expect(seen).toHaveLength(0)

    const during = new AbortController()
    const emitted = runbell.emit('acme.run.started', { data: {} }, { signal: during.signal })
    await vi.waitUntil(() => seen.length === 1)
    during.abort()
    expect(await emitted).toBeNull()

    const waiting = new AbortController()
    const failing = await serve(status(503))
    const { runbell: other, errors: others } = runbellAt(failing.url, { sleep: async () => waiting.abort() })
    expect(await other.emit('acme.run.started', { data: {} }, { signal: waiting.signal })).toBeNull()
    expect(failing.seen).toHaveLength(1)
    expect([...errors, ...others].map(([{ code }]) => code)).toEqual(['aborted', 'aborted', 'aborted'])
  })

  it('ends the real wait at once', async () => {
    const controller = new AbortController()
    const { seen, url } = await serve(status(503, { 'retry-after': '29' }))
    // Asked for right before the wait begins.
    const random = () => {
      setImmediate(() => controller.abort())
      return 0
    }
    const onError = vi.fn()
    const runbell = new Runbell({ url, key: KEY, defaultAgent: { id: 'a' }, random, onError })
    expect(await runbell.emit('acme.run.started', { data: {} }, { signal: controller.signal })).toBeNull()
    expect(seen).toHaveLength(1)
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'aborted' }), expect.anything())
  })
})

describe('flush', () => {
  it('waits for what was emitted, reported or not, and never rejects', async () => {
    const held: ServerResponse[] = []
    const { seen, url } = await serve((response) => void held.push(response))
    const { runbell, errors } = runbellAt(url)
    await runbell.flush()
    const accepted = runbell.emit('acme.run.started', { data: {} })
    void runbell.emit('acme.run.completed', { data: {} })
    let flushed = false
    const flush = runbell.flush().then(() => (flushed = true))
    await vi.waitUntil(() => held.length === 2)
    expect(flushed).toBe(false)
    accept(held[0] as ServerResponse, seen[0]?.body as string)
    await accepted.catch(() => undefined)
    expect(flushed).toBe(false)
    refuse(422, { code: 'schema_mismatch' })(held[1] as ServerResponse, '')
    await flush
    expect(errors).toHaveLength(1)
  })

  it('is needed now and then: more than the limit at the same time is refused', async () => {
    const { seen, url } = await serve(accept)
    const { runbell, errors } = runbellAt(url, { maxOutstanding: 2 })
    const emitted = [1, 2, 3].map(() => runbell.emit('acme.run.started', { data: {} }))
    expect((await Promise.all(emitted)).map((accepted) => accepted !== null)).toEqual([true, true, false])
    expect(errors.map(([{ code }]) => code)).toEqual(['too_many_outstanding'])
    expect(await runbell.emit('acme.run.started', { data: {} })).not.toBeNull()
    expect(seen).toHaveLength(3)
  })
})

describe('options', () => {
  it.each([
    { key: '' },
    { key: undefined as never },
    { key: 'sk_live_x' },
    { url: 'localhost' },
    { url: 'ftp://x' },
    { timeoutMs: 0 },
    { retries: -1 },
    { retries: Number.NaN },
    { maxOutstanding: 0 },
  ])('that cannot be are refused at the start: %j', (wrong) => {
    expect(() => runbellAt('http://127.0.0.1:1', wrong)).toThrow(TypeError)
  })
})
