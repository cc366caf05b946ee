import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anEvent, createEndpoint, eventOf, get, newType, post, publish, request } from '../support/client.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { runCommand } from '../support/run-command.ts'
import { startServer, type ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

let folder: string
let receiver: Receiver

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-backup-'))
  for (const name of ['a', 'c']) await mkdir(join(folder, name))
  receiver = await startReceiver(() => 204)
})
afterAll(async () => {
  await receiver.close()
  await rm(folder, { recursive: true, force: true })
})

/** Publishes until told to stop; the ids that were acknowledged, in order. */
function publishing(server: ServerProcess, type: string): { acknowledged: string[]; stop(): Promise<void> } {
  const acknowledged: string[] = []
  const stopped = new AbortController()
  const publisher = async () => {
    while (!stopped.signal.aborted) {
      acknowledged.push((await publish(server, anEvent(type, { run_id: 'run-of-g21' }))).event_id)
    }
  }
  const publishers = Promise.all([publisher(), publisher()])
  const stop = async () => {
    stopped.abort()
    await publishers
  }
  return { acknowledged, stop }
}

describe('G21: After restoring a backup, events may be delivered again with the same ids; ids are never reused.', () => {
  test('a backup of a busy server has everything acknowledged before it, and goes on elsewhere', async () => {
    const [dataDir, elsewhere, file] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'backup.db')]
    const type = newType()
    let server = await startServer(dataDir)
    const endpoint = await createEndpoint(server, receiver.url, type)
    await post(server, `/v1/endpoints/${endpoint.id}/pause`)
    const { event_id: held } = await publish(server, anEvent(type))
    const load = publishing(server, newType())
    await until(
      'it is busy',
      () => load.acknowledged.length,
      (count) => count > 20,
    )
    const before = load.acknowledged.length
    expect(await runCommand(['backup', file, '--data-dir', dataDir, '--json'])).toMatchObject({ code: 0, stderr: '' })
    const certain = load.acknowledged.slice(0, before)
    await load.stop()
    const { event_id: after } = await publish(server, anEvent(type))
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600')
    expect(await runCommand(['restore', file, '--data-dir', dataDir, '--force'])).toMatchObject({ code: 1 })
    expect(await server.end('SIGTERM')).toBe(0)

    const restored = await runCommand(['restore', file, '--data-dir', elsewhere])
    expect(restored).toMatchObject({ code: 0, stderr: '' })
    server = await startServer(elsewhere)
    for (const id of [held, ...certain.slice(-5)]) expect((await eventOf(server, id)).event_id).toBe(id)
    expect((await request(server, 'GET', `/v1/events/${after}`)).status).toBe(404)
    await post(server, `/v1/endpoints/${endpoint.id}/resume`)
    await receiver.until((received) => received.length === 1)
    expect(receiver.received[0]?.eventId).toBe(held)
    const { data } = await get<{ data: { action: string }[] }>(server, '/v1/audit-log?action=backup.restored')
    expect(data).toHaveLength(1)
    // The same bytes are the same event, here as there.
    const one = anEvent(type, { event_id: held })
    expect((await request(server, 'POST', '/v1/events', { body: one })).status).toBe(409)
    expect(await server.end('SIGTERM')).toBe(0)
  })

  test('what is there is put aside whole, and a second backup wants to be asked for', async () => {
    const [dataDir, file] = [join(folder, 'c'), join(folder, 'c.db')]
    let server = await startServer(dataDir)
    const { event_id: first } = await publish(server, anEvent(newType()))
    await server.end('SIGKILL')
    expect((await runCommand(['backup', file, '--data-dir', dataDir])).code).toBe(0)
    expect(await runCommand(['backup', file, '--data-dir', dataDir])).toMatchObject({ code: 2 })
    server = await startServer(dataDir)
    const { event_id: second } = await publish(server, anEvent(newType()))
    // What is in its log only has to come along.
    await server.end('SIGKILL')

    expect(await runCommand(['restore', file, '--data-dir', dataDir])).toMatchObject({ code: 1 })
    expect((await runCommand(['restore', file, '--data-dir', dataDir, '--force'])).code).toBe(0)
    const aside = (await readdir(dataDir)).find((name) => /^runbell\.db\.before-[\d-]+$/.test(name))
    const old = new DatabaseSync(join(dataDir, aside as string))
    expect(old.prepare('SELECT event_id FROM events ORDER BY position').all()).toEqual([
      { event_id: first },
      { event_id: second },
    ])
    old.close()
    server = await startServer(dataDir)
    expect((await eventOf(server, first)).event_id).toBe(first)
    expect((await request(server, 'GET', `/v1/events/${second}`)).status).toBe(404)
    await server.end('SIGTERM')
  })

  test('what is no backup is refused, and nothing is touched', async () => {
    const dataDir = join(folder, 'd')
    const [text, damaged, foreign] = ['text', 'damaged', 'foreign'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(text, 'not a database at all, but a text that is long enough to be looked at'.repeat(20))
    const whole = await readFile(join(folder, 'backup.db'))
    whole.fill(0xff, 8192, 8192 + 4096)
    await writeFile(damaged, whole)
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE events (a); PRAGMA user_version = 1')
    other.close()
    for (const file of [text, damaged, foreign, join(folder, 'nothing')]) {
      const { code, stderr } = await runCommand(['restore', file, '--data-dir', dataDir])
      expect([file, code > 0, stderr.split('\n').length]).toEqual([file, true, 2])
      expect(stderr).toContain(file)
    }
    const files = await readdir(dataDir).catch(() => [])
    expect(files).toEqual([])
  })
})
