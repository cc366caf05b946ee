import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../../tests/support/postgres-database.ts'
import { loadSettings } from '../../config/load.ts'
import type { Inspection } from '../../store/inspection.ts'
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts'
import { newMasterKey } from '../../wiring/master-keys.ts'
import { temporaryFolder } from '../testing/cli-process.ts'
import { shareDevServer } from '../testing/dev-server-here.ts'
import { captureOutput, runHere } from '../testing/run-here.ts'
import type { Check } from './check.ts'
import { checkClock } from './clock-check.ts'
import { judgeDisk } from './disk-check.ts'
import { checkEgress } from './egress-checks.ts'
import { checkVersion } from './version-check.ts'

captureOutput()
const here = shareDevServer()

async function doctor(...flags: string[]) {
  const { code, out, err } = await runHere('doctor', '--json', ...flags)
  const { status, checks } = JSON.parse(out || '{"checks":[]}') as { status?: string; checks: Check[] }
  const of = (name: Check['name']) => checks.filter((check) => check.name === name)
  const found = (name: Check['name']) => of(name).map((check) => `${check.status}: ${check.message}`)
  return { code, err, status, checks, of, found }
}

describe('the embedded database', () => {
  test('of a server that runs: who uses it, and that all is well', async () => {
    const { code, status, found, checks } = await doctor('--data-dir', here.dataDir, '--deep')
    expect(checks.filter((check) => check.status === 'fail')).toEqual([])
    expect([code, status === 'fail']).toEqual([0, false])
    // This very process, which the search passes over.
    expect(found('database')[0]).toMatch(/ok: in use by/)
    expect(found('database').at(-1)).toMatch(/ok: SQLite, .*runbell\.db: opens, schema \d+ is the newest/)
    expect(found('keys')).toEqual(['ok: 1 admin key is there', 'ok: the master key fits the database'])
    expect(found('egress')).toEqual(['ok: all 1 hosts of endpoints may be reached; their names resolve'])
  })

  test('a folder with nothing in it is fine but for the keys, and stays empty', async () => {
    const dataDir = join(temporaryFolder(), 'none')
    const { code, found } = await doctor('--data-dir', dataDir)
    expect(code).toBe(5)
    expect(found('database')).toEqual([expect.stringMatching(/^ok: there is none in .* yet/)])
    expect(found('keys')).toEqual([
      'warn: there is no admin key, so nobody can use the API',
      'fail: runbell start needs a master key, which seals the secrets in its database',
    ])
    vi.stubEnv('RUNBELL_MASTER_KEY', newMasterKey())
    expect(await doctor('--data-dir', dataDir)).toMatchObject({ code: 0, status: 'warn' })
    expect(() => writeFileSync(join(dataDir, 'x'), '')).toThrow('ENOENT')
  })

  test('a file that is none, one of a newer version, and one that has moved are told apart', async () => {
    vi.stubEnv('RUNBELL_MASTER_KEY', newMasterKey())
    const dirs = [temporaryFolder(), temporaryFolder(), temporaryFolder()] as const
    for (const dir of dirs) chmodSync(dir, 0o700)
    writeFileSync(join(dirs[0], 'runbell.db'), 'this is not a database '.repeat(100))
    const newer = new DatabaseSync(join(dirs[1], 'runbell.db'))
    newer.exec('PRAGMA user_version = 999')
    newer.close()
    const store = await openSqliteStore({ path: join(dirs[2], 'runbell.db') })
    await store.close()
    const moved = new DatabaseSync(join(dirs[2], 'runbell.db'))
    moved.exec(`INSERT INTO settings VALUES ('moved_to', 'postgres://db/runbell')`)
    moved.close()
    const results = []
    for (const dir of dirs) {
      const { code, of } = await doctor('--data-dir', dir)
      results.push([code, of('database').find(({ status }) => status === 'fail')?.message])
    }
    expect(results).toEqual([
      [5, expect.stringMatching(/cannot be read \(file is not a database\)/)],
      [5, expect.stringMatching(/written by a newer Runbell \(schema 999/)],
      [5, 'everything in it has moved to postgres://db/runbell'],
    ])
  })

  test('a master key that is another one is found before a start finds it', async () => {
    vi.stubEnv('RUNBELL_MASTER_KEY', newMasterKey())
    const { code, found } = await doctor('--data-dir', here.dataDir)
    expect(code).toBe(5)
    expect(found('keys').at(-1)).toMatch(
      /^fail: the database is sealed with the master key [0-9a-f]{16}; configured is/,
    )
  })

  test('people get a line for each check and the fix below it', async () => {
    mkdirSync(join(here.dataDir, 'sub'), { recursive: true })
    const { out } = await runHere('doctor', '--data-dir', join(here.dataDir, 'sub'))
    expect(out).toMatch(/^ok {4}version {3}Runbell/)
    expect(out).toMatch(
      /fail {2}keys {6}runbell start needs a master key.*\n {16}Make one with runbell keys generate-master/,
    )
  })
})

test('settings that cannot be read are usage errors', async () => {
  expect(await doctor('--port', 'abc')).toMatchObject({ code: 2, err: expect.stringMatching(/--port="abc"/) })
})

describe('the clock', () => {
  const wall = Date.UTC(2027, 0, 1)
  const findings = (highWater: number, now: number | null) => ({
    checks: [],
    inspection: {
      schema: 1,
      knownSchema: 1,
      movedTo: null,
      content: { highWater, adminKeys: 1, masterKeyIds: [], urls: [] },
    },
    time: now === null ? null : { now, tookMs: 20 },
  })
  const MINUTE = 60_000

  test.each([
    ['ok', wall, 0, wall - MINUTE, null],
    ['ok', wall, 0, wall, wall - 15],
    ['warn', wall, 0, wall, wall + 8000],
    ['fail', wall, 0, wall, wall + 6 * MINUTE],
    ['fail', wall, 0, wall, wall - 6 * MINUTE],
    ['fail', wall, 0, wall + 6 * MINUTE, null],
    ['warn', wall, 9000, wall, null],
    ['fail', Date.UTC(1970, 0, 2), 0, 0, null],
  ])('is %s at %d, drifted by %d, with %d on record and the database at %s', (status, at, driftMs, highWater, now) => {
    expect(checkClock({ wall: at, driftMs }, findings(highWater, now)).status).toBe(status)
  })
})

test('an old Node, and a disk that is full or nearly so', () => {
  expect(['22.1.0', '24.0.0', '30.1.0'].map((node) => checkVersion(node).status)).toEqual(['fail', 'ok', 'ok'])
  expect([99, 100, 399, 400].map((free) => judgeDisk(free, 100).status)).toEqual(['fail', 'warn', 'warn', 'ok'])
})

describe('egress', () => {
  const { settings } = loadSettings('start', {}, {})
  const inspection = (...urls: string[]): Inspection => ({
    ...{ schema: 1, knownSchema: 1, movedTo: null },
    content: { highWater: 0, adminKeys: 0, masterKeyIds: [], urls },
  })
  const names: Record<string, string> = { 'good.example': '93.184.216.34', 'inside.example': '10.0.0.7' }
  const resolve = async (name: string) => {
    const address = names[name]
    if (address === undefined) throw new Error('ENOTFOUND')
    return [{ address, family: 4 }]
  }
  const judged = async (given: Partial<typeof settings>, ...urls: string[]) =>
    (await checkEgress({ ...settings, ...given }, 'start', inspection(...urls), resolve)).map(
      ({ status, message }) => `${status}: ${message}`,
    )

  test('names are resolved and judged as deliveries would be', async () => {
    expect(await judged({}, 'https://good.example/a', 'https://good.example/b')).toEqual([
      'ok: all 1 hosts of endpoints may be reached; their names resolve',
    ])
    expect(await judged({}, 'https://inside.example/', 'https://gone.example/', 'http://good.example')).toEqual([
      'warn: 1 hosts of endpoints do not resolve: gone.example',
      expect.stringMatching(/^warn: 2 endpoints may not be reached: .*inside\.example: 10\.0\.0\.7/),
    ])
    expect(await judged({ egressAllow: ['10.0.0.0/8'] }, 'https://inside.example/')).toEqual([
      expect.stringMatching(/^ok/),
    ])
    expect(await judged({ egressAllow: ['10.0.0.0/99'] })).toEqual([
      expect.stringMatching(/^fail: RUNBELL_EGRESS_ALLOW/),
    ])
    expect(await judged({})).toEqual(['ok: there are no endpoints with a URL yet'])
  })

  test('a proxy has to resolve, and may resolve for us', async () => {
    const proxy = new URL('http://user:hidden@gone.example:3128')
    expect(await judged({ egressProxy: proxy })).toEqual(['fail: the egress proxy gone.example does not resolve'])
    const given = { egressProxy: new URL('http://good.example:3128'), egressProxyDns: 'proxy' as const }
    expect(await judged(given, 'https://gone.example/')).toEqual([
      'ok: deliveries leave through the proxy good.example',
      expect.stringMatching(/^ok: all 1/),
    ])
  })
})

describe('Postgres', () => {
  let database: Promise<TestDatabase> | null = null
  afterAll(async () => {
    await (await database)?.drop()
  })

  test('empty, of a newer version, of a user without rights, and away', async () => {
    vi.stubEnv('RUNBELL_MASTER_KEY', newMasterKey())
    const { url, query } = await (database = createTestDatabase())
    vi.stubEnv('RUNBELL_DATABASE_URL', url)
    const empty = await doctor()
    expect([empty.code, empty.found('database')]).toEqual([
      0,
      [expect.stringMatching(/^ok: Postgres, .*server \d+.*: opens, and is empty/)],
    ])
    expect(empty.found('clock')).toEqual([expect.stringMatching(/within \d+ ms of the clock of the database/)])
    expect(await query(`SELECT to_regnamespace('runbell')::text AS name`)).toEqual([{ name: null }])

    await query('CREATE SCHEMA runbell; CREATE TABLE runbell.schema_version (version INTEGER)')
    await query('INSERT INTO runbell.schema_version VALUES (999)')
    expect((await doctor()).found('database')).toEqual([expect.stringMatching(/^fail: .*newer Runbell \(schema 999/)])

    const role = `doctor_${url.slice(-8)}`
    await query(`CREATE ROLE ${role} LOGIN PASSWORD 'p4ss-w0rd'; GRANT USAGE ON SCHEMA runbell TO ${role}`)
    try {
      await query(`GRANT SELECT ON runbell.schema_version TO ${role}`)
      const poor = new URL(url)
      Object.assign(poor, { username: role, password: 'p4ss-w0rd' })
      vi.stubEnv('RUNBELL_DATABASE_URL', poor.href)
      const refused = await doctor()
      expect(refused.found('database')).toEqual([
        'fail: the user may not make tables in the schema runbell',
        expect.stringMatching(/^fail: 1 tables belong to another user/),
        expect.stringMatching(/^fail: .*newer/),
      ])
      expect(JSON.stringify(refused.checks)).not.toContain('p4ss')
    } finally {
      await query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }

    vi.stubEnv('RUNBELL_DATABASE_URL', 'postgres://runbell:p4ss@127.0.0.1:1/runbell')
    const away = await doctor()
    expect(away).toMatchObject({ code: 5, status: 'fail' })
    expect(away.of('database')).toEqual([
      {
        ...{ name: 'database', status: 'fail', fix: 'Start it, or check host and port of the database URL.' },
        message: 'Postgres, postgres://runbell@127.0.0.1:1/runbell: no Postgres answers at 127.0.0.1:1',
      },
    ])
  })
})
