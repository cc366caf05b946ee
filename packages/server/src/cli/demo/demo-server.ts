import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROLES } from '../../config/database-settings.ts'
import type { LoadedSettings } from '../../config/load.ts'
import { openDevServer, type DevServer } from '../dev-server.ts'

export interface DemoServer {
  server: DevServer
  /** The usual port, where it was taken; `null`: it was free, or another one was asked for. */
  portTaken: number | null
  /** The data folder is removed at the end. */
  temporary: boolean
  stop(): Promise<void>
}

/** A server of its own: a fresh data folder and, where the usual port is taken, a free one, unless they were given. */
export async function openDemoServer(loaded: LoadedSettings, onFatal: (error: Error) => void): Promise<DemoServer> {
  const { settings: given, origins } = loaded
  const temporary = origins.dataDir === 'default'
  const dataDir = temporary ? mkdtempSync(join(tmpdir(), 'runbell-demo-')) : given.dataDir
  const remove = () => {
    if (temporary) rmSync(dataDir, { recursive: true, force: true })
  }
  // What is shown goes into no database that somebody uses.
  const settings = { ...given, dataDir, databaseUrl: null, roles: ROLES }
  try {
    const opened = await openOnFreePort(settings, origins.port === 'default', onFatal)
    return {
      ...opened,
      temporary,
      async stop() {
        await opened.server.stop()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

async function openOnFreePort(
  settings: DevServer['settings'],
  mayChoose: boolean,
  onFatal: (error: Error) => void,
): Promise<Pick<DemoServer, 'server' | 'portTaken'>> {
  try {
    return { server: await openDevServer(settings, onFatal), portTaken: null }
  } catch (error) {
    if (!mayChoose || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return { server: await openDevServer({ ...settings, port: 0 }, onFatal), portTaken: settings.port }
  }
}
