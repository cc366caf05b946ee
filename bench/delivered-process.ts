import { loadSettings } from '../packages/server/src/config/load.ts'
import { createRunbell } from '../packages/server/src/runbell.ts'
import { newMasterKey } from '../packages/server/src/wiring/master-keys.ts'

/* A whole server in a process of its own, as it is by default, that may send to loopback. Tells its CPU time over IPC. */

const [dataDir = '', key = ''] = process.argv.slice(2)
const flags = { 'data-dir': dataDir, host: '127.0.0.1', port: '0', 'log-level': 'error' }
const { settings } = loadSettings('dev', flags, { RUNBELL_ADMIN_KEYS: key, RUNBELL_MASTER_KEY: newMasterKey() })
const runbell = await createRunbell({ settings, command: 'dev' })
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), memory: process.memoryUsage.rss() }))
process.on('disconnect', () => process.exit(0))
process.send?.(runbell.url)
