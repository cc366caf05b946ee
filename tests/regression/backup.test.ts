import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DAY } from '../../packages/server/src/core/schedule.ts'
import { backUp } from '../../packages/server/src/store/sqlite/backup/back-up.ts'
import { restore } from '../../packages/server/src/store/sqlite/backup/restore.ts'
import { openInlineSqliteStore } from '../../packages/server/test/inline-sqlite-store.ts'
import { T0 } from '../../packages/server/src/store/conformance/builders.ts'
import { anEvent, newType, publish, request } from '../support/client.ts'
import { runCommand } from '../support/run-command.ts'
import { startServer } from '../support/server-process.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-regression-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('runbell backup', () => {
  test.each(['runbell.db', 'link.db'])('does not replace the database that it copies (as %s)', async (name) => {
    const { symlink } = await import('node:fs/promises')
    let server = await startServer(folder)
    const type = newType()
    if (name !== 'runbell.db') await symlink(folder, join(folder, 'here'))
    const target = name === 'runbell.db' ? join(folder, name) : join(folder, 'here', 'runbell.db')
    const { code } = await runCommand(['backup', target, '--force', '--data-dir', folder])
    const { event_id: id } = await publish(server, anEvent(type))
    await server.end('SIGTERM')
    server = await startServer(folder)
    const { status } = await request(server, 'GET', `/v1/events/${id}`)
    await server.end('SIGTERM')
    expect({ code, status }).toEqual({ code: 2, status: 200 })
  })

  test('copies what a killed server has committed and not yet checkpointed', async () => {
    const server = await startServer(folder)
    const { event_id: id } = await publish(server, anEvent(newType()))
    await server.end('SIGKILL')
    expect(await runCommand(['backup', join(folder, 'backup.db'), '--data-dir', folder])).toMatchObject({ code: 0 })
    const copy = new DatabaseSync(join(folder, 'backup.db'), { readOnly: true })
    const found = copy.prepare('SELECT count(*) AS n FROM events WHERE event_id = ?').get(id)?.['n']
    copy.close()
    expect(found).toBe(1)
  })

  test('two at once into one file leave a whole copy', async () => {
    const path = join(folder, 'runbell.db')
    const store = openInlineSqliteStore(path)
    await store.close()
    const fill = new DatabaseSync(path)
    fill.exec(`CREATE TABLE filler (x); BEGIN`)
    const insert = fill.prepare('INSERT INTO filler VALUES (zeroblob(100000))')
    for (let count = 0; count < 800; count++) insert.run()
    fill.exec('COMMIT')
    fill.close()
    const target = join(folder, 'backup.db')
    const first = backUp({ path, target }).then(
      () => 'made',
      (error: unknown) => `failed: ${String(error)}`,
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    const second = backUp({ path, target }).then(
      () => 'made',
      (error: unknown) => `failed: ${String(error)}`,
    )
    const ended = await Promise.all([first, second])
    expect(ended).toContain('made')
    const copy = new DatabaseSync(target, { readOnly: true })
    expect(copy.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    expect(copy.prepare('SELECT count(*) AS n FROM filler').get()).toEqual({ n: 800 })
    copy.close()
  })
})

describe('runbell restore', () => {
  test('restores everything that a whole database has, or refuses it: not only what is in its main file', async () => {
    const server = await startServer(folder)
    const { event_id: id } = await publish(server, anEvent(newType()))
    await server.end('SIGKILL')
    expect(await readdir(folder)).toContain('runbell.db-wal')
    const elsewhere = join(folder, 'elsewhere')
    const { code } = await runCommand(['restore', join(folder, 'runbell.db'), '--data-dir', elsewhere])
    expect(code).toBe(1)
    expect(id).toMatch(/^evt_/)
    expect(await readdir(folder)).not.toContain('elsewhere/runbell.db')
  })

  test('believes a clock that is years ahead only if it is told to (G14)', async () => {
    const [path, backup] = [join(folder, 'runbell.db'), join(folder, 'backup.db')]
    const store = openInlineSqliteStore(join(folder, 'source.db'))
    await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
    await store.leaveNode({ nodeId: 'a', highWater: T0 })
    await store.close()
    await backUp({ path: join(folder, 'source.db'), target: backup })
    const ask = { backup, path, aside: `${path}.aside`, now: T0 + 3650 * DAY, audit: [] }
    await expect(restore(ask)).rejects.toThrow(
      /was made at 2026-01-05T12:00:00.000Z, and this machine's clock says 2036-/,
    )
    expect(await readdir(folder)).not.toContain('runbell.db')
    await restore({ ...ask, acceptClock: true })
    const opened = openInlineSqliteStore(path)
    const { highWater } = await opened.joinNode({ nodeId: 'b', leaseMs: 1000 })
    await opened.close()
    expect(highWater).toBe(ask.now)
  })
})
