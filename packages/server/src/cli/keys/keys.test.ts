import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask, EVENT, readyLine, runCli, temporaryFolder } from '../testing/cli-process.ts'

interface CreatedKey {
  key: string
  scopes: string[]
  mode: string
  tenant_id: string | null
  expires_at: string | null
}

async function createKey(args: string[], env: Record<string, string> = {}): Promise<CreatedKey> {
  const { stdout, exit } = runCli(['keys', 'create', '--json', ...args], env)
  expect(await exit).toBe(0)
  expect(stdout.all).toHaveLength(1)
  return JSON.parse(stdout.all[0] as string) as CreatedKey
}

test('a key that was made before the first start is valid, and makes others while the server runs', async () => {
  const dataDir = temporaryFolder()
  const admin = await createKey(['--scope', 'admin', '--mode', 'live', '--data-dir', dataDir])
  const { url } = await readyLine(runCli(['start', '--port', '0', '--json', '--data-dir', dataDir]))

  const create = [
    '--scope',
    'publish,read',
    '--mode',
    'live',
    '--tenant',
    'acme',
    '--expires',
    '30d',
    '--data-dir',
    dataDir,
  ]
  const made = await createKey(create, { RUNBELL_URL: url, RUNBELL_API_KEY: admin.key })
  expect(made).toMatchObject({ mode: 'live', scopes: ['publish', 'read'], tenant_id: 'acme' })
  expect(Date.parse(made.expires_at as string) - Date.now()).toBeGreaterThan(29 * 86_400_000)
  expect(await ask(url, made.key, '/v1/events', EVENT)).toBe(202)
  expect(await ask(url, made.key, '/v1/api-keys')).toBe(403)

  const refused = runCli(['keys', 'create', '--scope', 'admin', '--mode', 'live', '--data-dir', dataDir])
  expect(await refused.exit).toBe(1)
  expect(refused.stderr.all).toEqual([
    `runbell: a server is using ${join(dataDir, 'runbell.db')}: give its address with --url (RUNBELL_URL) and an admin key with --key (RUNBELL_API_KEY), or stop it`,
  ])
})

test('for people the key alone is on standard output', async () => {
  const { stdout, stderr, exit } = runCli([
    'keys',
    'create',
    '--scope',
    'publish',
    '--mode',
    'test',
    '--data-dir',
    temporaryFolder(),
  ])
  expect(await exit).toBe(0)
  expect(stdout.all).toEqual([expect.stringMatching(/^rb_test_/)])
  expect(stderr.all.join('')).toMatch(/test mode, publish, all tenants, valid until revoked/)
})

test('what cannot be a key is a usage error', async () => {
  const wrong = [
    ['--scope', 'everything', '--mode', 'live'],
    ['--scope', 'read', '--mode', 'both'],
    ['--scope', 'read', '--mode', 'live', '--expires', 'soon'],
  ]
  const codes = await Promise.all(wrong.map((args) => runCli(['keys', 'create', ...args]).exit))
  expect(codes).toEqual([2, 2, 2])
})

test('keys are listed and revoked, in the database and in a server that runs', async () => {
  const dataDir = temporaryFolder()
  const admin = await createKey(['--scope', 'admin', '--mode', 'live', '--data-dir', dataDir])
  const reader = await createKey(['--scope', 'read', '--mode', 'live', '--tenant', 'acme', '--data-dir', dataDir])
  const keys = async (args: string[], env: Record<string, string> = {}) => {
    const { stdout, stderr, exit } = runCli(['keys', ...args], env)
    return { code: await exit, out: stdout.all, err: stderr.all.join('') }
  }
  const id = (key: CreatedKey) => `key_${key.key.split('_')[2]}`
  const listed = await keys(['list', '--data-dir', dataDir])
  expect(listed.out.map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
    ['ID', 'SCOPES', 'TENANT'],
    [id(reader), 'read', 'acme'],
    [id(admin), 'admin', 'all'],
  ])
  const { url } = await readyLine(runCli(['start', '--port', '0', '--json', '--data-dir', dataDir]))
  const env = { RUNBELL_URL: url, RUNBELL_API_KEY: admin.key }
  expect(await ask(url, reader.key, '/v1/events')).toBe(200)
  const revoked = await keys(['revoke', id(reader), '--data-dir', dataDir], env)
  expect([revoked.code, revoked.out]).toEqual([0, [`${id(reader)} is revoked`]])
  expect(await ask(url, reader.key, '/v1/events')).toBe(401)
  const again = await keys(['revoke', id(reader), '--data-dir', dataDir], env)
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('there is no valid API key')])
  expect((await keys(['list', '--json', '--data-dir', dataDir], env)).out.map((line) => JSON.parse(line).id)).toEqual([
    id(admin),
  ])
  expect((await keys(['revoke', 'rb_live_x', '--data-dir', dataDir], env)).code).toBe(2)
})
