import { performance } from 'node:perf_hooks'
import { loadSettings } from '../../packages/server/src/config/load.ts'
import { Slots } from '../../packages/server/src/delivery/slots.ts'
import { createRunbell } from '../../packages/server/src/runbell.ts'
import type { Look, ServerOptions } from './server.ts'

/* A whole server in a process of its own, as it is by default, that may send to loopback. Tells about itself over IPC. */

const options = JSON.parse(process.argv[2] ?? '') as ServerOptions
// An experiment, not a setting: endpoints that hang keep the slots that all others use.
if (options.withoutSlowLane === true) Slots.prototype.move = () => {}

const flags = { 'data-dir': options.dataDir, host: '127.0.0.1', port: '0', 'log-level': options.logLevel }
const { settings } = loadSettings('dev', flags, options.environment)
const runbell = await createRunbell({ settings, command: 'dev' })
process.on('message', (collect: boolean) => {
  if (collect) globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  const look: Look = { cpu: process.cpuUsage(), rss, heapUsed, external, loop: performance.eventLoopUtilization() }
  process.send?.(look)
})
process.on('disconnect', () => process.exit(0))
process.send?.(runbell.url)
