import type { AttemptView, DeliveryView, EndpointView, EventView, RunView } from '@runbell/sdk/contract'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { listenOnLoopback } from '../loopback.ts'
import { createScreen } from '../screen.ts'
import { follow, type Activity } from '../tail/follow.ts'
import { lineOf } from '../tail/tail-work.ts'
import { shareDevServer } from '../testing/dev-server-here.ts'
import { captureOutput, runHere } from '../testing/run-here.ts'

captureOutput()
const here = shareDevServer()

async function json<Item>(...args: string[]): Promise<Item[]> {
  const { code, out, err } = await runHere(...args, '--data-dir', here.dataDir, '--json')
  expect([code, err]).toEqual([0, ''])
  return out === '' ? [] : out.split('\n').map((line) => JSON.parse(line) as Item)
}

const people = (...args: string[]) => runHere(...args, '--data-dir', here.dataDir)
const publish = (runId: string) =>
  here.server.api.post<{ event_id: string }>('/v1/events', {
    ...{ type: 'agent.run.started', run_id: runId, agent: { id: 'agent' }, data: { status: 'running' } },
  })

beforeAll(async () => {
  for (let index = 0; index < 205; index++) await publish(`run_test_${index}`)
})

test('lists are read page after page, filtered, and end where they are told to', async () => {
  const all = await json<EventView>('events', '--limit', '1000')
  expect(new Set(all.map(({ event_id: id }) => id)).size).toBe(205)
  expect(await json<EventView>('events', '--limit', '203')).toHaveLength(203)
  expect(await json<EventView>('events', 'list')).toHaveLength(50)
  expect(await json<EventView>('events', '--run', 'run_test_7')).toMatchObject([{ run_id: 'run_test_7' }])
  expect(await json<EventView>('events', '--type', 'agent.task.*,agent.memory.*')).toEqual([])
  expect(await json<RunView>('runs', '--status', 'running', '--limit', '3')).toMatchObject([
    { status: 'running' },
    {},
    {},
  ])
  const [delivery] = await json<DeliveryView>('deliveries', '--type', 'agent.run.started', '--limit', '1')
  const [shown] = await json<DeliveryView & { attempts: AttemptView[] }>('deliveries', 'show', delivery?.id ?? '')
  expect(shown?.attempts.map(({ number }) => number)).toContain(1)
  expect(await json<RunView>('runs', 'show', 'run_test_7')).toMatchObject([{ run_id: 'run_test_7' }])
})

test('for people it is a table; nothing found is said; a wrong limit is a usage error', async () => {
  const { out } = await people('events', '--limit', '2')
  expect(out.split('\n').map((line) => line.split(/ {2,}/).slice(2, 4))).toEqual([
    ['TYPE', 'RUN'],
    ['agent.run.started', 'run_test_204'],
    ['agent.run.started', 'run_test_203'],
  ])
  expect(await people('deliveries', '--run', 'run_none')).toMatchObject({
    code: 0,
    out: '',
    err: 'There are no deliveries.',
  })
  expect((await people('events', '--limit', '0')).code).toBe(2)
  expect((await people('events', 'show', 'evt_test_nobody00')).code).toBe(1)
})

test('an endpoint is made, tested, paused, resumed, resent to and deleted', async () => {
  const statuses = [200, 500, 200]
  const seen: string[] = []
  const listener = await listenOnLoopback(async (request, response) => {
    seen.push(String(request.headers['webhook-id']))
    request.resume()
    response.writeHead(statuses.shift() ?? 200).end()
  })
  onTestFinished(() => listener.close())
  const made = await people('endpoints', 'create', listener.url, '--type', 'agent.task.*', '--description', 'desk')
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^whsec_\S+$/) })
  const id = /ep_test_\S+/.exec(made.err)?.[0] ?? ''
  expect(await json<EndpointView>('endpoints')).toContainEqual(expect.objectContaining({ id, description: 'desk' }))
  expect((await people('endpoints', 'test', id)).out).toMatch(/^agent\.task\.\S+: delivered, status 200/)
  expect(await people('endpoints', 'test', id)).toMatchObject({
    code: 5,
    out: expect.stringMatching(/http_error, status 500/),
  })
  expect(await json<EndpointView>('endpoints', 'pause', id)).toMatchObject([{ status: 'paused' }])
  expect((await people('endpoints', 'resume', id)).out).toBe(`${id} is enabled`)
  const event = await publish('run_test_late')
  const [resent] = await json<DeliveryView>('resend', event.event_id, '--endpoint', id)
  await vi.waitUntil(() => seen.includes(event.event_id), { timeout: 10_000 })
  expect(await json<DeliveryView>('resend', resent?.id ?? '')).toMatchObject([{ id: resent?.id }])
  expect((await people('endpoints', 'delete', id)).code).toBe(0)
  expect(await json<EndpointView>('endpoints')).not.toContainEqual(expect.objectContaining({ id }))
  expect([(await people('resend', 'run_1')).code, (await people('endpoints', 'create', 'nowhere')).code]).toEqual([
    2, 2,
  ])
})

test('what happens is followed: a new event, then what came of its delivery', async () => {
  const stopping = new AbortController()
  const seen: Activity[] = []
  const following = (async () => {
    const { signal } = stopping
    for await (const activity of follow(here.server.api, 'type=agent.run.started', { signal, everyMs: 20 })) {
      seen.push(activity)
      if (activity.kind === 'delivery' && activity.delivery.status === 'delivered') stopping.abort()
    }
  })()
  // The first look is what later ones are compared with; an event before it would be no news.
  const heartbeat = setInterval(() => void publish(`run_test_follow_${seen.length}`), 100)
  onTestFinished(() => clearInterval(heartbeat))
  await following
  clearInterval(heartbeat)
  expect(seen.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['event', 'delivery']))
  const lines = seen.map((activity) => lineOf(createScreen(process.stderr), activity))
  expect(lines.find((line) => line.includes('→'))).toMatch(/^\d\d:\d\d:\d\d {2}→ {2}agent\.run\.started +evt_test_/)
  expect(lines.find((line) => line.includes('delivered'))).toMatch(/←.*dlv_test_\S+ {2}ep_test_\S+ {2}\d+ attempts/)
})

test('status says whether it is ready, and gives a shell what it needs', async () => {
  const { apiKey, runbell } = here.server
  expect((await people('status', '-o', 'env')).out).toBe(
    `export RUNBELL_URL='${runbell.url}'\nexport RUNBELL_API_KEY='${apiKey}'`,
  )
  expect(await json<object>('status')).toMatchObject([{ url: runbell.url, mode: 'test', storage: expect.any(String) }])
  expect((await runHere('status', '--url', 'http://127.0.0.1:1', '--key', apiKey)).code).toBe(1)
})
