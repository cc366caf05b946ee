import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile, stat, truncate, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Spool, SpooledEvent } from '../emit/index.ts'
import { FileSpool, type FileSpoolOptions } from './index.ts'

const folders: string[] = []
const spools: FileSpool[] = []
afterEach(async () => {
  for (const spool of spools.splice(0)) await spool.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'runbell-spool-'))
  folders.push(folder)
  return folder
}

function spoolIn(folder: string, options: Partial<FileSpoolOptions> = {}, scope = 'http://a test'): FileSpool {
  const spool = new FileSpool({ folder, ...options })
  spools.push(spool)
  spool.open(scope)
  return spool
}

const event = (id: string, body = `{"id":"${id}"}`): SpooledEvent => ({
  event_id: id,
  type: 'acme.x.one',
  once: false,
  body,
})

/** Takes everything out, and forgets it. */
async function drain(spool: Spool): Promise<string[]> {
  const ids: string[] = []
  for (let lot = await spool.next(); lot !== null; lot = await spool.next()) {
    ids.push(...lot.events.map(({ event_id }) => event_id))
    await lot.done()
  }
  return ids
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.filter((name) => name.includes('.')).map((name) => join(folder, name))
}

/** As if the processes behind them had shown no life for an hour. */
async function letDie(folder: string): Promise<void> {
  const long = new Date(Date.now() - 3_600_000)
  for (const file of await filesIn(folder)) await utimes(dirname(file), long, long)
}

describe('what is kept', () => {
  it('comes out in order, byte for byte, until it is done', async () => {
    const spool = spoolIn(temporaryFolder())
    const body = '{"text":"日本語 \\ud83d\\n","big":12345678901234567890}'
    await spool.append([event('a', body), event('b')])
    await spool.append([event('c')])
    const first = await spool.next()
    expect(first?.events).toEqual([event('a', body), event('b')])
    await first?.done()
    await spool.append([event('d')])
    expect(await drain(spool)).toEqual(['c', 'd'])
    expect(await spool.next()).toBeNull()
  })

  it('comes out again where it was not done', async () => {
    const folder = temporaryFolder()
    await spoolIn(folder).append([event('a')])
    await letDie(folder)
    const second = spoolIn(folder)
    expect((await second.next())?.events).toEqual([event('a')])
    await letDie(folder)
    expect(await drain(spoolIn(folder))).toEqual(['a'])
  })

  it('stays in order where the clock goes back', async () => {
    let now = Date.now()
    const spool = spoolIn(temporaryFolder(), { now: () => now })
    for (const id of ['a', 'b', 'c']) {
      await spool.append([event(id)])
      now -= 3_600_000
    }
    expect(await drain(spool)).toEqual(['a', 'b', 'c'])
  })

  it('can be read by its owner only', async () => {
    const folder = temporaryFolder()
    await spoolIn(folder).append([event('a')])
    const [file = ''] = await filesIn(folder)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700)
  })

  it('is not mixed with that of another server or mode', async () => {
    const folder = temporaryFolder()
    await spoolIn(folder, {}, 'http://a live').append([event('a')])
    await letDie(folder)
    expect(await drain(spoolIn(folder, {}, 'http://a test'))).toEqual([])
    expect(await drain(spoolIn(folder, {}, 'http://a live'))).toEqual(['a'])
  })

  it('leaves no folder behind', async () => {
    const folder = temporaryFolder()
    await spoolIn(folder).append([event('a')])
    await letDie(folder)
    const spool = spoolIn(folder)
    await spool.append([event('b')])
    expect(await drain(spool)).toEqual(['a', 'b'])
    await spool.close()
    expect(await readdir(join(folder, (await readdir(folder))[0] ?? ''))).toEqual([])
  })
})

describe('a file', () => {
  it('whose end was lost gives what is whole', async () => {
    const folder = temporaryFolder()
    const spool = spoolIn(folder)
    await spool.append([event('a'), event('b'), event('c')])
    const [file = ''] = await filesIn(folder)
    await truncate(file, (await stat(file)).size - 5)
    expect(await drain(spool)).toEqual(['a', 'b'])
    await spool.append([event('d')])
    const [other = ''] = await filesIn(folder)
    await truncate(other, 0)
    expect(await drain(spool)).toEqual([])
  })

  it('is never seen before it is whole', async () => {
    const folder = temporaryFolder()
    const spool = spoolIn(folder)
    await spool.append([event('a')])
    const [file = ''] = await filesIn(folder)
    expect(await readFile(file, 'utf8')).toBe(`${JSON.stringify(event('a'))}\n`)
    expect((await filesIn(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe('bounds', () => {
  it('in bytes refuse the new, and what is published makes room', async () => {
    const spool = spoolIn(temporaryFolder(), { maxBytes: 8192 })
    await spool.append([event('a')])
    await spool.append([event('b')])
    await expect(spool.append([event('c')])).rejects.toThrow(/full: 8192 of 8192/)
    await (await spool.next())?.done()
    await spool.append([event('d')])
    expect(await drain(spool)).toEqual(['b', 'd'])
  })

  it('count what others have in the folder', async () => {
    const folder = temporaryFolder()
    await spoolIn(folder).append([event('a', `"${'x'.repeat(5000)}"`)])
    await expect(spoolIn(folder, { maxBytes: 10_000 }).append([event('b')])).rejects.toThrow(/full/)
  })

  it('in age forget, and say so', async () => {
    let now = Date.now()
    const spool = spoolIn(temporaryFolder(), { maxAgeMs: 1000, now: () => now })
    const expired: string[] = []
    spool.onExpired = ({ event_id }) => void expired.push(event_id)
    await spool.append([event('a')])
    now += 1001
    await spool.append([event('b')])
    expect(await drain(spool)).toEqual(['b'])
    expect(expired).toEqual(['a'])
  })

  it.each([{ folder: '' }, { maxBytes: 0 }, { maxAgeMs: 0 }, { orphanedAfterMs: Number.NaN }])(
    '%j are none',
    (wrong) => {
      expect(() => new FileSpool({ folder: 'x', ...wrong })).toThrow(TypeError)
    },
  )
})

describe('several processes', () => {
  it('leave alone what a living one wrote', async () => {
    const folder = temporaryFolder()
    await spoolIn(folder).append([event('a')])
    expect(await drain(spoolIn(folder))).toEqual([])
  })

  it('take over what a dead one left: one of them, whole and in order', async () => {
    const folder = temporaryFolder()
    for (const writer of ['a', 'b', 'c']) {
      const spool = spoolIn(folder)
      for (let index = 0; index < 20; index++) await spool.append([event(`${writer}${String(index).padStart(2, '0')}`)])
    }
    await letDie(folder)
    const drained = await Promise.all(Array.from({ length: 4 }, () => drain(spoolIn(folder))))
    const all = drained.flat()
    expect(all).toHaveLength(60)
    expect(new Set(all).size).toBe(60)
    for (const ids of drained) {
      for (const writer of ['a', 'b', 'c']) {
        const own = ids.filter((id) => id.startsWith(writer))
        expect(own).toEqual(own.toSorted())
        expect([0, 20]).toContain(own.length)
      }
    }
  })

  it('that were taken for dead and were not write on, in a folder anew', async () => {
    const folder = temporaryFolder()
    const asleep = spoolIn(folder)
    await asleep.append([event('a'), event('b')])
    await asleep.append([event('c')])
    const lot = await asleep.next()
    await letDie(folder)
    expect(await drain(spoolIn(folder))).toEqual(['a', 'b', 'c'])
    await lot?.done()
    await asleep.append([event('d')])
    expect(await drain(asleep)).toEqual(['d'])
  })

  it('write at the same time, really, and none loses or doubles an event', async () => {
    const folder = temporaryFolder()
    const program = `
      import { FileSpool } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}
      const spool = new FileSpool({ folder: process.argv[1] })
      spool.open('http://a test')
      for (let n = 0; n < 25; n++) {
        const id = process.argv[2] + String(n).padStart(2, '0')
        await spool.append([{ event_id: id, type: 'acme.x.one', once: false, body: '{}' }])
      }
      process.kill(process.pid, 'SIGKILL')`
    const run = async (writer: string) => {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, folder, writer], {
        stdio: 'inherit',
      })
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    }
    await Promise.all(['a', 'b', 'c'].map(run))
    await letDie(folder)
    const drained = await Promise.all([spoolIn(folder), spoolIn(folder)].map(drain))
    expect(new Set(drained.flat()).size).toBe(75)
    expect(drained.flat()).toHaveLength(75)
  })
})
