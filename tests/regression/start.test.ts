import { execFileSync, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MASTER_KEY, startServer } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const BIN = fileURLToPath(new URL('../../packages/server/bin/runbell.mjs', import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-regression-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a start', () => {
  test('reads the master key once: from a pipe it does not hang or fail', async () => {
    const command = `exec "$0" "$1" start --json --host 127.0.0.1 --port 0 --data-dir "$2" --master-key-file <(echo "$3")`
    const child = spawn('bash', ['-c', command, process.execPath, BIN, join(folder, 'data'), MASTER_KEY], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RUNBELL_LIMIT_FREE_BYTES: '4194304' },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (text: Buffer) => (out += text.toString()))
    child.stderr.on('data', (text: Buffer) => (err += text.toString()))
    try {
      const seen = await until(
        'it serves or says why not',
        () => ({ out, err, code: child.exitCode }),
        (now) => now.out.includes('"ready":true') || now.code !== null,
        30_000,
      )
      expect(seen).toMatchObject({ out: expect.stringContaining('"ready":true'), code: null })
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('does not hang where the master key is in a named pipe that is written once', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const args = [BIN, 'start', '--json', '--host', '127.0.0.1', '--port', '0', '--data-dir', join(folder, 'data')]
    const child = spawn(process.execPath, [...args, '--master-key-file', pipe], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RUNBELL_LIMIT_FREE_BYTES: '4194304' },
    })
    let out = ''
    child.stdout.on('data', (text: Buffer) => (out += text.toString()))
    try {
      await writeFile(pipe, MASTER_KEY)
      await until(
        'it serves or ends',
        () => out.includes('"ready":true') || child.exitCode !== null,
        (done) => done,
        30_000,
      )
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('asks the command for the master key once', async () => {
    const calls = join(folder, 'calls')
    await mkdir(join(folder, 'data'))
    const server = await startServer(join(folder, 'data'), {
      RUNBELL_MASTER_KEY: '',
      RUNBELL_MASTER_KEY_COMMAND: `echo called >> ${calls}; echo ${MASTER_KEY}`,
    })
    expect(await server.end('SIGTERM')).toBe(0)
    expect((await readFile(calls, 'utf8')).trim().split('\n')).toHaveLength(1)
  })
})
