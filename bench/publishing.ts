import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createApiKey } from '../packages/server/src/api/access/api-key.ts'
import { loadSettings } from '../packages/server/src/config/load.ts'
import { newMasterKey } from '../packages/server/src/wiring/master-keys.ts'
import { createRunbell } from '../packages/server/src/runbell.ts'
import { createSystemRandom } from '../packages/server/src/system.ts'
import { percentile } from './distribution.ts'
import { answerTimes, load } from './load/load.ts'

export interface Published {
  /** Events a second that were answered 202. */
  perSecond: number
  /** Events in the mean transaction. */
  meanGroup: number
  /** Milliseconds from request to 202. */
  p50: number
  p99: number
  /** CPU microseconds of the server process per event. */
  cpuPerEvent: number
}

/** Publishes over HTTP from another process, one event a request, and looks at how many share a commit. */
export async function measurePublishing(folder: string, publishers: number, seconds: number): Promise<Published> {
  const dataDir = await mkdtemp(join(folder, 'publishing-'))
  const { key } = createApiKey({ mode: 'live', scopes: ['admin'], now: Date.now(), random: createSystemRandom() })
  const flags = { 'data-dir': dataDir, host: '127.0.0.1', port: '0', 'log-level': 'error' }
  const { settings } = loadSettings('start', flags, { RUNBELL_ADMIN_KEYS: key, RUNBELL_MASTER_KEY: newMasterKey() })
  const runbell = await createRunbell({ settings, command: 'start' })
  try {
    const options = { url: runbell.url, key, connections: publishers, events: { types: [] } }
    await load({ ...options, seconds: 1 })
    const before = { ...runbell.acceptor.stats(), cpu: process.cpuUsage() }
    const result = await load({ ...options, seconds })
    if (result.failed > 0) throw new Error(`${result.failed} events were refused`)
    const answers = answerTimes(result)
    const { commits, events } = runbell.acceptor.stats()
    const cpu = process.cpuUsage(before.cpu)
    return {
      perSecond: result.events / result.seconds,
      meanGroup: (events - before.events) / (commits - before.commits),
      p50: percentile(answers, 0.5),
      p99: percentile(answers, 0.99),
      cpuPerEvent: (cpu.user + cpu.system) / (events - before.events),
    }
  } finally {
    await runbell.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}
