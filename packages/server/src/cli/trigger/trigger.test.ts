import { BUILT_IN_TYPES } from '@runbell/sdk/catalog'
import { verifyWebhook } from '@runbell/sdk/signing'
import { buffer } from 'node:stream/consumers'
import type { EndpointView, EventView, RunDetailView } from '@runbell/sdk/contract'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listenOnLoopback } from '../loopback.ts'
import { shareDevServer } from '../testing/dev-server-here.ts'
import { captureOutput, runHere } from '../testing/run-here.ts'
import { oddJson } from './odd-json.ts'
import { setField } from './set-field.ts'
import { STORY_NAMES } from './story-names.ts'
import { planStory } from './story-plan.ts'

captureOutput()
const here = shareDevServer()

async function trigger(...args: string[]) {
  const { code, out, err } = await runHere('trigger', ...args, '--data-dir', here.dataDir, '--json')
  return { code, err, lines: out === '' ? [] : out.split('\n').map((line) => JSON.parse(line)) }
}

const eventOf = (id: string) => here.server.api.get<EventView>(`/v1/events/${id}`)

test('a sample of every built-in type can be published, twice, with ids of its own each time', async () => {
  const seen = new Set<string>()
  for (const type of BUILT_IN_TYPES.keys()) {
    for (const _ of [1, 2]) {
      const { code, err, lines } = await trigger(type)
      expect([type, code, err]).toEqual([type, 0, ''])
      expect(lines[0]).toMatchObject({ type, duplicate: false, event_id: expect.stringMatching(/^evt_test_/) })
      seen.add(lines[0].event_id)
    }
  }
  expect(seen.size).toBe(BUILT_IN_TYPES.size * 2)
})

test('a sample is of now, so that no deadline in it is over', async () => {
  const { lines } = await trigger('agent.approval.requested')
  const { timestamp, run_id: runId, data } = await eventOf(lines[0].event_id)
  const approval = data as { expires_at: string; approval_id: string; decision_url: string }
  expect(Math.abs(Date.parse(timestamp) - Date.now())).toBeLessThan(60_000)
  expect(Date.parse(approval.expires_at)).toBeGreaterThan(Date.now() + 3_600_000)
  expect(runId).toMatch(/^run_test_/)
  expect(approval.approval_id).toMatch(/^apr_test_/)
  expect(approval.decision_url).toContain(approval.approval_id)
})

test('fields are changed by --set, from the event or from its data', async () => {
  const set = [
    '--set',
    'run_id=run_test_mine',
    '--set',
    'duration_ms=7',
    '--set',
    'agent.name=Desk',
    '--set',
    'metadata.team="a"',
  ]
  const { code, lines } = await trigger('agent.run.completed', ...set)
  expect([code, lines[0].run_id]).toEqual([0, 'run_test_mine'])
  expect(await eventOf(lines[0].event_id)).toMatchObject({
    ...{ agent: { name: 'Desk' }, metadata: { team: 'a' }, data: { duration_ms: 7 } },
  })
  const refused = await trigger('agent.run.completed', '--set', 'duration_ms=soon')
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/\/data\/duration_ms/) })
})

describe('--set', () => {
  test('makes what is not there, and lists', () => {
    const event = { data: { list: ['a'] } }
    setField(event, 'x.y.0.z=[1]')
    setField(event, 'list.1=b')
    expect(event.data).toEqual({ list: ['a', 'b'], x: { y: [{ z: [1] }] } })
  })

  test.each(['novalue', '=x', 'a..b=1', 'data.__proto__.x=1', '__proto__.x=1', 'text.x=1', 'list.7=1', 'list.x=1'])(
    'refuses %s, and changes nothing of what all objects share',
    (setting) => {
      expect(() => setField({ data: { text: 't', list: [] } }, setting)).toThrow('--set')
      expect(Object.getPrototypeOf({})).toBe(Object.prototype)
      expect('x' in {}).toBe(false)
    },
  )
})

const ENDS = {
  refund: { status: 'completed', approvals: { total: 1, open: 0 } },
  approval: { status: 'waiting', approvals: { total: 1, open: 1 } },
  failure: { status: 'failed' },
  partial: { status: 'partially_completed' },
  expired: { status: 'rejected', approvals: { total: 1, open: 0 } },
}

test.each(STORY_NAMES)('the story %s is a whole run without a warning', async (name) => {
  const { code, lines, err } = await trigger('--story', name, '--max-wait', '0')
  expect([code, err]).toEqual([0, ''])
  expect(lines.flatMap(({ warnings }) => warnings)).toEqual([])
  expect(lines.map(({ sequence }) => sequence)).toEqual(lines.map((_, index) => index + 1))
  const run = await here.server.api.get<RunDetailView>(`/v1/runs/${lines[0].run_id}`)
  expect(run).toMatchObject({ ...ENDS[name], lifecycle_warnings: 0 })
})

test('waits of a story are its own where they are short, and times in it follow', () => {
  const now = Date.parse('2027-01-01T00:00:00Z')
  const short = planStory('expired', { seed: 7, now, maxWaitMs: 2000 })
  expect(short.map(({ waitMs }) => waitMs <= 2000)).toEqual(short.map(() => true))
  const at = (type: string) => short.find(({ event }) => event.type === type)?.event
  const expired = at('agent.approval.expired')?.timestamp ?? ''
  expect(at('agent.approval.requested')?.data).toMatchObject({ expires_at: expired })
  expect(Date.parse(expired)).toBeLessThan(now + 10_000)
  const long = planStory('expired', { seed: 7, now, maxWaitMs: Infinity })
  expect(Math.max(...long.map(({ waitMs }) => waitMs))).toBeGreaterThan(3 * 3_600_000)
})

test('a live key, an unknown type, or things that do not go together are refused in a sentence', async () => {
  const live = 'rb_live_abcd0123efgh4567_Runbell0VectorRunbell0VectorRunbell0VectorR_b0ee06dd'
  const refusals = [
    await trigger(),
    await trigger('agent.run.completed', '--story', 'refund'),
    await trigger('agent.run.completed', '--max-wait', '1'),
    await trigger('--story', 'refund', '--max-wait', 'x'),
    await trigger('agent.run.complete'),
    await trigger('agent.run.completed', '--url', 'http://127.0.0.1:1', '--key', live),
    await trigger('agent.run.completed', '--url', 'http://127.0.0.1:1'),
  ]
  expect(refusals.map(({ code }) => code)).toEqual([2, 2, 2, 2, 1, 2, 2])
  expect(refusals[4]?.err).toMatch(/no event type "agent.run.complete"/)
  // The key of runbell dev is for its own address.
  expect(refusals[6]?.err).toMatch(/http:\/\/127.0.0.1:1 asks for an API key/)
  expect(refusals.map(({ err }) => err.split('\n').length)).toEqual(refusals.map(() => 1))
})

test('--list prints the types, for people and as lines of JSON', async () => {
  const { lines } = await trigger('--list')
  expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining([...BUILT_IN_TYPES.keys()]))
})

test('the canary finds a receiver that prints JSON again before it verifies', async () => {
  const api = here.server.api
  const secrets = { honest: '', reprinting: '' }
  const listener = await listenOnLoopback(async (request, response) => {
    const body = await buffer(request)
    const name = request.url?.slice(1) as keyof typeof secrets
    const checked = name === 'reprinting' ? JSON.stringify(JSON.parse(body.toString())) : body
    const { ok } = await verifyWebhook({ headers: request.headers, body: checked, secrets: secrets[name] })
    response.writeHead(ok ? 204 : 401).end()
  })
  onTestFinished(() => listener.close())
  for (const name of ['honest', 'reprinting'] as const) {
    const made = await api.post<EndpointView & { secret: string }>('/v1/endpoints', {
      ...{ url: `${listener.url}/${name}`, event_types: ['agent.run.completed'], description: name },
    })
    secrets[name] = made.secret
    onTestFinished(() => api.delete(`/v1/endpoints/${made.id}`))
  }
  const { code, lines, err } = await trigger('--canary')
  expect([code, err]).toEqual([5, ''])
  expect(
    lines
      .map(({ endpoint, verdict, plain_status: plain, canary_status: canary }) => [endpoint, verdict, plain, canary])
      .toSorted(([one], [other]) => String(one).localeCompare(String(other))),
  ).toEqual([
    ['honest', 'keeps_bytes', 204, 204],
    ['inbox', 'keeps_bytes', 200, 200],
    ['reprinting', 'changes_bytes', 204, 401],
  ])
})

test.each([{}, { a: 1, b: 'x/y', c: [], d: ['é', -1.5, true, null] }, [{ deep: { er: 0 } }]])(
  'odd JSON is the same value in bytes that printing it again changes: %j',
  (value) => {
    const text = oddJson(value)
    expect(JSON.parse(text)).toEqual(value)
    expect(JSON.stringify(JSON.parse(text))).not.toBe(text)
  },
)
