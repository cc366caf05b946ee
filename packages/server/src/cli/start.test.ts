import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { VERSION } from '../version.ts'
import { readyLine, runCli, temporaryFolder } from './testing/cli-process.ts'

/** Runs a command that must not work. */
async function refusalOf(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; stderr: string[]; stdout: string[] }> {
  const { exit, stderr, stdout } = runCli(args, env)
  return { code: await exit, stderr: stderr.all, stdout: stdout.all }
}

describe('runbell start', () => {
  test('--json prints exactly one line once requests are served, and SIGTERM ends it with 0', async () => {
    const server = runCli(['start', '--port', '0', '--json', '--data-dir', temporaryFolder()])
    const ready = await readyLine(server)
    expect(ready).toEqual({
      ready: true,
      url: expect.stringMatching(/^http:/),
      mode: 'live',
      database: 'sqlite',
      version: VERSION,
    })
    expect((await fetch(`${ready.url}/readyz`)).status).toBe(200)
    server.kill('SIGTERM')
    expect(await server.exit).toBe(0)
    expect(server.stdout.all).toHaveLength(1)
    expect(server.stderr.all.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('stopping')
  })

  test('a second process on the same data folder is refused in one sentence', async () => {
    const dataDir = temporaryFolder()
    await readyLine(runCli(['start', '--port', '0', '--json', '--data-dir', dataDir]))
    const { code, stderr, stdout } = await refusalOf(['start', '--port', '0', '--json', '--data-dir', dataDir])
    expect(code).toBe(1)
    expect(stdout).toEqual([])
    expect(stderr).toEqual([
      `runbell: another Runbell process is using ${join(dataDir, 'runbell.db')}: stop it first, or give this one its own --data-dir`,
    ])
  })

  test('a port in use is said with what to do', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const args = ['start', '--host', '127.0.0.1', '--port', String(port), '--data-dir', temporaryFolder()]
    const { code, stderr } = await refusalOf(args)
    expect(code).toBe(1)
    expect(stderr).toEqual([
      `runbell: port ${port} on 127.0.0.1 is in use: stop what listens there, or choose another with --port (0 picks a free one)`,
    ])
  })

  test('settings that cannot be read and unknown flags are usage errors, one sentence each', async () => {
    const refusals = await Promise.all([
      refusalOf(['start', '--port', 'abc']),
      refusalOf(['start'], { RUNBELL_RETRY_SCHEDULE: '5x' }),
      refusalOf(['start', '--prot', '1']),
    ])
    expect(refusals.map(({ code }) => code)).toEqual([2, 2, 2])
    expect(refusals[0]?.stderr).toEqual(['runbell: --port="abc": is a whole number from 0 to 65535'])
    expect(refusals[1]?.stderr).toEqual([
      'runbell: RUNBELL_RETRY_SCHEDULE="5x": "5x" is not a delay such as 500ms, 5s, 1m, 2h or 1d',
    ])
    expect(refusals[2]?.stderr[0]).toBe("runbell: unknown option '--prot'")
  })

  test('data folders that cannot be used end with 1 and one sentence', async () => {
    const folder = temporaryFolder()
    const newer = temporaryFolder()
    const broken = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    const database = new DatabaseSync(join(newer, 'runbell.db'))
    database.exec('PRAGMA user_version = 999')
    database.close()
    writeFileSync(join(broken, 'runbell.db'), 'this is not a database '.repeat(100))
    const dirs = [join(folder, 'file', 'data'), newer, broken]
    const refusals = await Promise.all(dirs.map((dir) => refusalOf(['start', '--port', '0', '--data-dir', dir])))
    expect(refusals.map(({ code }) => code)).toEqual([1, 1, 1])
    expect(refusals.map(({ stderr }) => stderr.length)).toEqual([1, 1, 1])
    expect(refusals[0]?.stderr[0]).toMatch(/is not a folder: choose another one with --data-dir$/)
    expect(refusals[1]?.stderr[0]).toMatch(/written by a newer Runbell .*: upgrade Runbell$/)
    expect(refusals[2]?.stderr[0]).toMatch(/is not a database: restore it from a backup/)
  })
})
