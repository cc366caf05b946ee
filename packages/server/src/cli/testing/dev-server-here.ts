import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { loadSettings } from '../../config/load.ts'
import { openDevServer, type DevServer } from '../dev-server.ts'

export interface DevServerHere {
  readonly server: DevServer
  readonly dataDir: string
}

/** What `runbell dev` serves, in this process and for all tests of a file: a process of its own costs a second. */
export function shareDevServer(environment: Record<string, string> = {}): DevServerHere {
  let opened: DevServer | null = null
  let dataDir = ''
  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'runbell-dev-'))
    const flags = { 'data-dir': dataDir, port: '0', 'log-level': 'silent' }
    const { settings } = loadSettings('dev', flags, { RUNBELL_LIMIT_FREE_BYTES: '4194304', ...environment })
    opened = await openDevServer(settings, () => {})
  })
  afterAll(async () => {
    await opened?.stop()
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 })
  })
  return {
    get server() {
      if (opened === null) throw new Error('the server runs from before the first test to after the last')
      return opened
    },
    get dataDir() {
      return dataDir
    },
  }
}
