import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { readyLine, runCli, temporaryFolder } from '../testing/cli-process.ts'

async function run(args: string[], env: Record<string, string> = {}) {
  const { stdout, stderr, exit } = runCli(['audit', ...args], env)
  const code = await exit
  return { code, out: stdout.all, err: stderr.all.join('\n') }
}

test('the log is checked and exported while the server runs and after it, and gives away who changed it', async () => {
  const dataDir = temporaryFolder()
  const server = runCli(['dev', '--port', '0', '--json', '--data-dir', dataDir])
  const { url, api_key: key } = await readyLine(server)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  for (const id of ['acme', 'other']) {
    const answer = await fetch(`${url}/v1/tenants`, { method: 'POST', headers, body: JSON.stringify({ id }) })
    expect(answer.status).toBe(200)
  }
  const online = await run(['verify', '--json'], { RUNBELL_URL: url, RUNBELL_API_KEY: key })
  expect([online.code, online.err]).toEqual([0, ''])
  const [verdict] = online.out.map((line) => JSON.parse(line))
  expect(verdict).toMatchObject({ mode: 'test', ok: true, from: 1 })
  const expected = `test:${verdict.head.seq}:${verdict.head.hash}`
  const busy = await run(['verify', '--data-dir', dataDir])
  expect(busy.code).toBe(1)
  expect(busy.err).toMatch(/a server is using .*: give its address with --url/)
  server.kill('SIGTERM')
  expect(await server.exit).toBe(0)

  const exported = await run(['export', '--data-dir', dataDir])
  expect(exported.code).toBe(0)
  const file = join(dataDir, 'audit.ndjson')
  writeFileSync(file, exported.out.join('\n'))
  const offline = await run(['verify', '--data-dir', dataDir, '--expect', expected])
  expect([offline.code, offline.err]).toEqual([0, ''])
  expect(offline.out.at(-1)).toMatch(/^test: \d+ entries from 1 on are as they were made; head test:\d+:[0-9a-f]{64}$/)
  expect((await run(['verify', '--file', file])).out).toEqual(offline.out)

  const db = new DatabaseSync(join(dataDir, 'runbell.db'))
  expect(() => db.exec(`UPDATE audit SET content = replace(content, '"acme"', '"evil"')`)).toThrow('append-only')
  expect(() => db.exec(`DELETE FROM audit`)).toThrow('append-only')
  db.exec(`DROP TRIGGER audit_stays; UPDATE audit SET content = replace(content, '"acme"', '"evil"')`)
  db.close()
  const tampered = await run(['verify', '--data-dir', dataDir])
  expect(tampered.code).toBe(1)
  expect(tampered.err).toMatch(
    /the test audit log was changed or damaged: entry \d+ does not have the hash of what it says/,
  )
  writeFileSync(file, exported.out.slice(0, -1).join('\n'))
  const cut = await run(['verify', '--file', file, '--expect', `test:${verdict.head.seq + 50}:${verdict.head.hash}`])
  expect(cut.code).toBe(1)
  expect(cut.err).toMatch(/was in the log earlier, and the log ends with entry \d+/)
  rmSync(file)
})

test('what it is asked wrongly it says', async () => {
  const nowhere = await run(['verify', '--data-dir', join(temporaryFolder(), 'none')])
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('there is no database in')])
  const head = await run(['verify', '--data-dir', temporaryFolder(), '--expect', '12'])
  expect([head.code, head.err]).toEqual([2, expect.stringContaining('--expect is a head as verify prints it')])
})
