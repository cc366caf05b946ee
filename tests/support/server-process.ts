import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createApiKey } from '../../packages/server/src/api/access/api-key.ts'
import { createSystemRandom } from '../../packages/server/src/system.ts'
import { registerOwnTypes } from './own-types.ts'
import { copyTemplate } from './template-database.ts'

export const BIN = fileURLToPath(new URL('../../packages/server/bin/runbell.mjs', import.meta.url))

/** Given here, the command line need not start Node a second time to have it. */
export const FROM_SOURCE = '--conditions=runbell-source'

/** Compiled code that starts share: a third less CPU each, and the tests that crash servers start dozens of them. */
export const COMPILE_CACHE = join(tmpdir(), 'runbell-compile-cache')

function newAdminKey(mode: 'live' | 'test'): string {
  return createApiKey({ mode, scopes: ['admin'], now: Date.now(), random: createSystemRandom() }).key
}

/** A live admin key that every server of a test run accepts. */
export const ADMIN_KEY = newAdminKey('live')
/** The same for test mode. */
export const TEST_ADMIN_KEY = newAdminKey('test')

/** The master key of every server of every test. */
export const MASTER_KEY = Buffer.alloc(32, 'runbell tests').toString('base64')

/** A real `runbell start`, as a user would run it. */
export interface ServerProcess {
  url: string
  child: ChildProcess
  /** What it has written to standard error so far. */
  log(): string
  /** Ends it with this signal and waits; resolves with the exit code, or `null` where the signal ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

/** Starts a server on loopback, with the types of tests; deliveries may go to loopback. Resolves once it serves. */
export async function startServer(
  dataDir: string,
  environment: Record<string, string> = {},
  flags: string[] = [],
): Promise<ServerProcess> {
  if (!existsSync(join(dataDir, 'runbell.db'))) await copyTemplate(dataDir, makeTemplate)
  return await spawnServer(dataDir, environment, flags)
}

/** Starts one of several nodes on a Postgres database; it keeps nothing in a folder. */
export function startNode(databaseUrl: string, environment: Record<string, string> = {}): Promise<ServerProcess> {
  return spawnServer(
    '/nonexistent',
    { RUNBELL_DATABASE_URL: databaseUrl, RUNBELL_DATABASE_POOL: '4', ...environment },
    [],
  )
}

async function makeTemplate(dataDir: string): Promise<void> {
  const server = await spawnServer(dataDir, {}, [])
  await registerOwnTypes(server.url, [ADMIN_KEY, TEST_ADMIN_KEY])
  const code = await server.end('SIGTERM')
  if (code !== 0) throw new Error(`the server that made the template ended with ${code}:\n${server.log()}`)
}

export async function spawnServer(
  dataDir: string,
  environment: Record<string, string>,
  flags: string[],
): Promise<ServerProcess> {
  const child = spawn(
    process.execPath,
    [FROM_SOURCE, BIN, 'start', '--json', '--host', '127.0.0.1', '--port', '0', '--data-dir', dataDir, ...flags],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        RUNBELL_ADMIN_KEYS: `${ADMIN_KEY},${TEST_ADMIN_KEY}`,
        RUNBELL_MASTER_KEY: MASTER_KEY,
        RUNBELL_EGRESS_ALLOW: '127.0.0.0/8',
        RUNBELL_LOG_LEVEL: 'warn',
        RUNBELL_LIMIT_FREE_BYTES: '4194304',
        ...environment,
      },
    },
  )
  // A test that fails half-way must not leave it running.
  const killWithUs = () => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text))
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const first = once(lines, 'line') as Promise<[string]>
  const ended = once(child, 'exit').then(() => null)
  const ready = await Promise.race([first, ended])
  if (ready === null) throw new Error(`the server ended before it was ready:\n${log}`)
  const { url } = JSON.parse(ready[0]) as { url: string }
  return {
    url,
    child,
    log: () => log,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      child.kill(signal)
      const [code] = (await once(child, 'exit')) as [number | null]
      return code
    },
  }
}

/** Calls the API with the admin key; throws where the answer is not 2xx, with what it said. */
export async function call<Answer>(
  server: { url: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}
