import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgresServer, type PostgresServer } from './postgres-server.ts'

/**
 * Gives the run a folder that its workers share (see `template-database.ts`), and one Postgres, which starts when the first of
 * them asks for it (see `postgres-database.ts`).
 */
export default async function setUp(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'runbell-run-'))
  process.env['RUNBELL_TEST_RUN'] = folder
  let starting: Promise<PostgresServer> | null = null
  const desk = createServer((socket) => {
    socket.on('error', () => {})
    starting ??= startPostgresServer()
    starting.then(
      ({ url }) => socket.end(url),
      (error: unknown) => socket.end(`error: ${String(error)}`),
    )
  })
  await new Promise<void>((resolve) => desk.listen(join(folder, 'postgres.sock'), resolve))
  return async () => {
    desk.close()
    const server = await starting?.catch(() => null)
    await server?.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}
