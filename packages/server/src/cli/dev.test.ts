import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { InboxEntry } from './inbox.ts'
import { ask, EVENT, readyLine, runCli, temporaryFolder, type CliProcess } from './testing/cli-process.ts'

function startDev(dataDir: string): CliProcess {
  return runCli(['dev', '--port', '0', '--json', '--log-level', 'info', '--data-dir', dataDir])
}

async function newest(inboxUrl: string): Promise<InboxEntry | undefined> {
  const { data } = (await (await fetch(`${inboxUrl}/?limit=1`)).json()) as { data: InboxEntry[] }
  return data[0]
}

test('every event lands in the inbox, signed; key and inbox stay the same over a restart', async () => {
  const dataDir = temporaryFolder()
  const keys: string[] = []
  const files: object[] = []
  for (const runId of ['run_1', 'run_2']) {
    const server = startDev(dataDir)
    const ready = await readyLine(server)
    expect(ready).toMatchObject({ ready: true, mode: 'test', database: 'sqlite' })
    keys.push(ready.api_key)
    const { url, ...kept } = JSON.parse(readFileSync(join(dataDir, 'dev.json'), 'utf8'))
    expect(url).toBe(ready.url)
    files.push(kept)
    expect(await ask(ready.url, ready.api_key, '/v1/events', { ...EVENT, run_id: runId })).toBe(202)
    await server.stderr.find(/delivery\.attempted/)
    const entry = await newest(ready.inbox_url)
    expect(entry).toMatchObject({
      type: 'agent.run.started',
      verified: true,
      reason: null,
      duplicate: false,
      attempt: 1,
    })
    expect(JSON.parse(entry?.body ?? '')).toMatchObject({ event_id: entry?.event_id, run_id: runId })
    server.kill('SIGINT')
    expect(await server.exit).toBe(0)
    expect(server.stdout.all).toHaveLength(1)
  }
  expect(keys[1]).toBe(keys[0])
  expect(files[1]).toEqual(files[0])
  expect(statSync(join(dataDir, 'dev.json')).mode & 0o777).toBe(0o600)
})

test('people see where everything is, and a line for every attempt', async () => {
  const server = runCli(['dev', '--port', '0', '--data-dir', temporaryFolder()])
  const key = (await server.stdout.find(/^API key/)).split('  ')[1] as string
  const url = (await server.stdout.find(/^http/)).trim()
  await ask(url, key, '/v1/events', EVENT)
  expect(await server.stdout.find(/\d\d:\d\d:\d\d {2}inbox/)).toMatch(
    /agent\.run\.started +1\/5 {2}200 {2}signature ok {2}new$/,
  )
  expect(server.stdout.all.join('\n')).toContain(`curl ${url}/v1/events`)
})

test('a dev.json that is something else is left alone, with a sentence', async () => {
  const dataDir = temporaryFolder()
  const path = join(dataDir, 'dev.json')
  writeFileSync(path, '{"api_key": "rb_live_nonsense"}')
  const { exit, stderr } = startDev(dataDir)
  expect(await exit).toBe(1)
  expect(stderr.all.at(-1)).toBe(
    `runbell: ${path} is not what runbell dev wrote there: delete it, and the next start makes a new key and inbox`,
  )
  expect(readFileSync(path, 'utf8')).toContain('nonsense')
})

test('a second Ctrl-C does not wait for an attempt in flight', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  const arrived = once(silent, 'request')
  onTestFinished(() => {
    silent.closeAllConnections()
    silent.close()
  })
  await once(silent, 'listening')
  const server = startDev(temporaryFolder())
  const { url, api_key: key } = await readyLine(server)
  const hooks = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`
  expect(await ask(url, key, '/v1/endpoints', { url: hooks })).toBe(201)
  await ask(url, key, '/v1/events', EVENT)
  await arrived
  server.kill('SIGINT')
  await server.stderr.find(/stopping/)
  // One that follows at once counts as the same.
  const again = setInterval(() => server.kill('SIGINT'), 50)
  onTestFinished(() => clearInterval(again))
  expect(await server.exit).toBe(130)
})
