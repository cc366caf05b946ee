import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MIGRATIONS } from '../../packages/server/src/store/sqlite/schema.ts'
import { startServer } from '../support/server-process.ts'

const DATABASE = fileURLToPath(new URL('../../packages/server/src/store/sqlite/database.ts', import.meta.url))
const MIB = 1024 * 1024

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-regression-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A database from before `auto_vacuum`, of about this size. */
function makeOld(path: string, bytes: number): void {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
  for (const migration of MIGRATIONS.slice(0, 5)) db.exec(migration)
  db.exec('PRAGMA user_version = 5; BEGIN')
  const insert = db.prepare(
    `INSERT INTO events (mode, tenant_id, event_id, type, schema_version, timestamp, recorded_at, fingerprint, prefix,
       source, data_start, data_end, body_sha256, delivery_count)
     VALUES (0, 'default', ?, 'acme.note.taken', 1, ?, ?, x'00', x'', ?, 0, 0, x'00', 0)`,
  )
  for (let done = 0; done < bytes; done += 3500) insert.run(`evt_${done}`, Date.now(), Date.now(), randomBytes(3000))
  db.exec('COMMIT')
  db.close()
}

describe('the first start on a database from before its file could shrink', () => {
  test('needs no memory for all of it', { timeout: 60_000 }, async () => {
    makeOld(join(folder, 'runbell.db'), 200 * MIB)
    const script = join(folder, 'open.ts')
    await writeFile(
      script,
      `import { readFileSync } from 'node:fs'
       import { openWriter } from ${JSON.stringify(DATABASE)}
       const peak = () => Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
       const before = peak()
       openWriter(${JSON.stringify(join(folder, 'runbell.db'))}).close()
       console.log(peak() - before)`,
    )
    const args = ['--conditions=runbell-source', '--no-warnings', script]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    // 64 MiB of it are the cache of pages.
    expect(Number(stdout) / 1024).toBeLessThan(120)
  })

  test.skipIf(process.getuid?.() !== 0)(
    'works on a disk with less free than the database has',
    { timeout: 60_000 },
    async () => {
      const disk = join(folder, 'disk')
      execFileSync('mkdir', [disk])
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk])
      try {
        makeOld(join(folder, 'old.db'), 24 * MIB)
        await copyFile(join(folder, 'old.db'), join(disk, 'runbell.db'))
        const server = await startServer(disk, { RUNBELL_LIMIT_FREE_BYTES: String(4 * MIB) })
        expect(await server.end('SIGTERM')).toBe(0)
      } finally {
        execFileSync('umount', ['-l', disk])
      }
    },
  )
})
