import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { acceptAll, away, publishServer, refuseAll, runbellWith } from '../../test/publish-server.ts'
import type { RunbellOptions, Spool } from '../emit/index.ts'
import { FileSpool } from './index.ts'

const folders: string[] = []
const open: { close(timeoutMs: number): Promise<void> }[] = []
afterEach(async () => {
  for (const runbell of open.splice(0)) await runbell.close(1)
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function world(options: Partial<RunbellOptions> = {}, folder = mkdtempSync(join(tmpdir(), 'runbell-spool-'))) {
  folders.push(folder)
  const server = publishServer(away)
  // Nobody alive: what a test's Runbell before left is taken over at once.
  const spool = new FileSpool({ folder, orphanedAfterMs: 1 })
  const made = runbellWith(server, { spool, retries: 1, now: Date.now, ...options })
  open.push(made.runbell)
  return { ...made, server, folder }
}

const typesOf = (server: ReturnType<typeof publishServer>) => server.posted().map(({ type }) => type)

describe('while the server is away', () => {
  it('events are kept, and published in order with the same bytes when it is back', async () => {
    const { runbell, server, lost } = world()
    const emitted = ['one', 'two', 'three'].map((name) =>
      runbell.emit(`acme.x.${name}`, { run_id: 'run_1', data: { name } }),
    )
    expect(await Promise.all(emitted)).toEqual([null, null, null])
    expect(lost).toEqual([])
    expect(runbell.stats()).toMatchObject({ outstanding: 0, spooled: 3 })
    const tried = server.requests[0]?.texts[0]
    server.requests.length = 0
    server.reply = acceptAll
    // Behind what is kept, although the server is back.
    void runbell.emit('acme.x.four', { run_id: 'run_1', data: {} })
    await runbell.flush()
    await vi.waitUntil(() => runbell.drainSpool())
    expect(typesOf(server)).toEqual(['acme.x.one', 'acme.x.two', 'acme.x.three', 'acme.x.four'])
    expect(JSON.stringify(server.posted()[0])).toBe(tried)
    expect(runbell.stats()).toMatchObject({ publishedFromSpool: 4, published: 0 })
    await runbell.emit('acme.x.five', { run_id: 'run_1', data: {} })
    expect(runbell.stats()).toMatchObject({ published: 1 })
  })

  it('what is kept outlives the process', async () => {
    const first = world()
    await first.runbell.emit('acme.x.one', { run_id: 'run_1', data: {} })
    await first.runbell.close(1)
    const second = world({}, first.folder)
    second.server.reply = acceptAll
    await vi.waitUntil(async () => (await second.runbell.drainSpool()) && second.server.requests.length > 0)
    expect(typesOf(second.server)).toEqual(['acme.x.one'])
  })

  it('close keeps what is still on its way', async () => {
    const sleep = async (ms: number, signal: AbortSignal | undefined) => {
      if (ms > 1) await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    }
    const first = world({ sleep })
    void first.runbell.emit('acme.x.one', { run_id: 'run_1', data: {} })
    void first.runbell.emit('acme.x.two', { run_id: 'run_1', data: {} })
    await first.runbell.close(1)
    expect(first.runbell.stats()).toMatchObject({ spooled: 2, lost: {} })
    const second = world({}, first.folder)
    second.server.reply = acceptAll
    await vi.waitUntil(async () => (await second.runbell.drainSpool()) && second.server.requests.length > 0)
    expect(typesOf(second.server)).toEqual(['acme.x.one', 'acme.x.two'])
  })
})

describe('while it is drained', () => {
  it('what the server refuses for good is reported and gone; a wrong key keeps everything', async () => {
    const { runbell, server, lost } = world()
    for (const name of ['good', 'bad', 'fine']) void runbell.emit(`acme.x.${name}`, { run_id: 'run_1', data: {} })
    await runbell.flush()
    server.reply = refuseAll(401, 'unauthenticated')
    expect(await runbell.drainSpool()).toBe(false)
    expect(lost).toEqual([])
    server.requests.length = 0
    server.reply = (request) => {
      if (!request.path.endsWith('/batch')) {
        return request.events[0]?.type === 'acme.x.bad'
          ? { status: 422, body: { code: 'schema_mismatch' } }
          : acceptAll(request)
      }
      const results = request.events.map(({ event_id, type }) =>
        type === 'acme.x.bad'
          ? { event_id, status: 'rejected', problem: { code: 'schema_mismatch', status: 422 } }
          : { event_id, status: 'accepted', sequence: 1, deliveries: 0, warnings: [] },
      )
      return { status: 202, body: { results } }
    }
    await vi.waitUntil(() => runbell.drainSpool())
    expect(lost).toEqual([['schema_mismatch', 'acme.x.bad']])
    expect(typesOf(server)).toEqual(['acme.x.good', 'acme.x.bad', 'acme.x.fine'])
  })

  it('a server that goes away in the middle gets the rest later, and a once-only fact it has is published', async () => {
    const { runbell, server, lost } = world()
    for (const id of ['run_1', 'run_2']) await runbell.run({ run_id: id }).started()
    server.requests.length = 0
    let answers = 0
    server.reply = (request) => (answers++ === 0 ? refuseAll(409, 'event_conflict')(request) : 'broken')
    expect(await runbell.drainSpool()).toBe(false)
    server.reply = acceptAll
    await vi.waitUntil(() => runbell.drainSpool())
    expect(server.posted().map(({ run_id }) => run_id)).toEqual(['run_1', 'run_2', 'run_2'])
    expect(lost).toEqual([])
  })
})

it('a spool that cannot keep an event loses it aloud, also in strict mode', async () => {
  const full: Spool = {
    open: () => undefined,
    append: () => Promise.reject(new Error('full')),
    next: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  }
  const { runbell, lost } = world({ spool: full })
  expect(await runbell.emit('acme.x.one', { data: {} })).toBeNull()
  expect(lost).toEqual([['spool_failed', 'acme.x.one']])
  const strict = world({ spool: full, strict: true })
  await expect(strict.runbell.emit('acme.x.one', { data: {} })).rejects.toMatchObject({ code: 'spool_failed' })
})
