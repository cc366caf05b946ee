import { existsSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createApiClient, type ApiClient } from '../api-client.ts'
import { EVENT, readyLine, runCli, temporaryFolder } from '../testing/cli-process.ts'

async function run(args: string[], env: Record<string, string>) {
  const { stdout, stderr, exit } = runCli(args, env)
  const code = await exit
  return { code, out: stdout.all, err: stderr.all.join('\n') }
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Three dead letters to one endpoint. */
async function fail(api: ApiClient): Promise<string> {
  const { id } = await api.post<{ id: string }>('/v1/endpoints', {
    ...{ url: `http://127.0.0.1:${await closedPort()}/`, event_types: ['agent.run.started'], retry_schedule: [] },
  })
  const events = [1, 2, 3].map((number) => ({ ...EVENT, run_id: `run_${number}` }))
  await api.post('/v1/events/batch', events)
  for (let dead = 0; dead < 3;) {
    const { data } = await api.get<{ data: unknown[] }>(`/v1/dead-letters?endpoint_id=${id}`)
    dead = data.length
  }
  return id
}

test('dead letters are counted, listed, exported, discarded, and replayed once somebody says yes', async () => {
  const dataDir = temporaryFolder()
  const { url, api_key: key } = await readyLine(runCli(['dev', '--port', '0', '--json', '--data-dir', dataDir]))
  const api = createApiClient(url, key)
  const env = { RUNBELL_URL: url, RUNBELL_API_KEY: key }
  const endpoint = await fail(api)

  const groups = await run(['dead-letters', 'groups', '--endpoint', endpoint, '--json'], env)
  expect(groups.out.map((line) => JSON.parse(line))).toMatchObject([
    { endpoint_id: endpoint, error_code: 'connect_failed', count: 3 },
  ])
  const shown = await run(['dead-letters', 'groups', '--by', 'type', '--endpoint', endpoint], env)
  expect(shown.out[0]).toMatch(/^ {8}3 {2}agent\.run\.started {2}\d{4}-\d\d-\d\d \d\d:\d\dZ to /)
  const list = await run(['dead-letters', 'list', '--limit', '2', '--run', 'run_1,', '--json'], env)
  expect([list.code, list.err]).toEqual([1, expect.stringContaining('/query/run_id')])
  const two = await run(['dead-letters', 'list', '--endpoint', endpoint, '--limit', '2'], env)
  expect(two.out).toHaveLength(2)
  expect(two.out[0]).toContain(`agent.run.started  to ${endpoint}  connect_failed, 1 attempts`)

  const file = join(dataDir, 'failed.csv')
  const exported = await run(['dead-letters', 'export', '--endpoint', endpoint, '--format', 'csv', '--out', file], env)
  expect(exported).toEqual({ code: 0, out: [], err: '' })
  const records = readFileSync(file, 'utf8').split('\r\n')
  expect([records.length, records[0]?.slice(0, 12), records[4]?.slice(0, 11)]).toEqual([
    6,
    'id,event_id,',
    '#complete,3',
  ])
  expect(existsSync(`${file}.part`)).toBe(false)
  const lines = (await run(['dead-letters', 'export', '--endpoint', endpoint], env)).out
  expect(JSON.parse(lines[3] as string)).toEqual({ export: { complete: true, rows: 3 } })
  const nowhere = await run(['dead-letters', 'export', '--out', join(dataDir, 'none', 'x')], env)
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('cannot be written (ENOENT)')])

  const { id } = JSON.parse(lines[0] as string) as { id: string }
  const discarded = await run(['dead-letters', 'discard', id, '--note', 'known', '--json'], env)
  expect(JSON.parse(discarded.out[0] as string)).toMatchObject({ id, note: 'known' })

  const preview = await run(['replay', '--endpoint', endpoint, '--dry-run', '--json'], env)
  expect(JSON.parse(preview.out[0] as string)).toMatchObject({ dry_run: true, matched: 2, replayable: 2 })
  const unasked = await run(['replay', '--endpoint', endpoint], env)
  expect(unasked.out).toEqual(['2 would be replayed', `  to ${endpoint}: 2`, '  of agent.run.started: 2'])
  expect([unasked.code, unasked.err]).toEqual([2, expect.stringContaining('run it again with --yes')])
  const done = await run(['replay', '--endpoint', endpoint, '--rate', '100', '--yes', '--json'], env)
  expect([done.code, done.err]).toEqual([0, expect.stringMatching(/^rpl_test_\S+ has begun; it goes on/)])
  const replay = JSON.parse(done.out[0] as string) as { id: string }
  expect(replay).toMatchObject({ status: 'completed', matched: 2, replayed: 2, rate_per_second: 100 })
  const all = await run(['replay', 'list'], env)
  expect(all.out[0]).toMatch(new RegExp(`^${replay.id}  .*completed, 2 of 2 replayed`))
  const late = await run(['replay', 'cancel', replay.id], env)
  expect([late.code, late.err]).toEqual([1, expect.stringContaining('This replay has ended')])
  const none = await run(['replay', '--run', 'nobody', '--yes'], env)
  expect([none.code, none.out, none.err]).toEqual([0, ['0 would be replayed'], 'There is nothing to replay.'])
}, 60_000)

test('what it is asked wrongly it says', async () => {
  const env = { RUNBELL_URL: 'http://127.0.0.1:9', RUNBELL_API_KEY: 'no' }
  expect((await run(['replay'], env)).code).toBe(2)
  expect((await run(['dead-letters', 'list', '--limit', '0'], env)).err).toContain('--limit is a number from 1')
})
