import { existsSync } from 'node:fs'
import { loadSettings } from '../../config/load.ts'
import type { Settings } from '../../config/settings.ts'
import { EXIT } from '../cli-error.ts'
import { devFilePath } from '../dev-file.ts'
import { printLine } from '../output.ts'
import { createScreen } from '../screen.ts'
import type { Flags } from '../setting-flags.ts'
import { CHECK_STATUSES, type Check, type CheckStatus } from './check.ts'
import { checkClock } from './clock-check.ts'
import { checkDatabase } from './database-checks.ts'
import { checkDisk } from './disk-check.ts'
import { checkEgress } from './egress-checks.ts'
import { checkKeys } from './key-checks.ts'
import { checkVersion } from './version-check.ts'

export interface DoctorOptions {
  deep?: boolean
  json?: boolean
}

/** Looks at everything a server needs, and changes nothing. */
export async function examine(flags: Flags, options: DoctorOptions): Promise<number> {
  const { settings } = loadSettings('start', flags, process.env)
  const command = isDevFolder(settings) ? 'dev' : 'start'
  const database = await checkDatabase(settings, { deep: options.deep === true })
  const { inspection } = database
  const wall = Date.now()
  const driftMs = wall - (performance.timeOrigin + performance.now())
  const checks = [
    checkVersion(process.versions.node),
    ...database.checks,
    checkClock({ wall, driftMs }, database),
    ...(await checkKeys(settings, command, inspection)),
    ...(await checkEgress(settings, command, inspection)),
    await checkDisk(settings),
  ]
  const worst = CHECK_STATUSES.findLast((status) => checks.some((check) => check.status === status)) ?? 'ok'
  if (options.json === true) printLine(JSON.stringify({ status: worst, checks }))
  else print(checks)
  return worst === 'fail' ? EXIT.notWell : EXIT.ok
}

/** A folder that `runbell dev` uses is judged as it does: its keys are in the folder, and loopback may be reached. */
function isDevFolder({ dataDir, databaseUrl, masterKey, masterKeyFile, masterKeyCommand }: Settings): boolean {
  const isProduction = databaseUrl !== null || masterKey !== null || masterKeyFile !== '' || masterKeyCommand !== ''
  return !isProduction && existsSync(devFilePath(dataDir))
}

const COLOURS: Readonly<Record<CheckStatus, 'green' | 'yellow' | 'red'>> = { ok: 'green', warn: 'yellow', fail: 'red' }

function print(checks: readonly Check[]): void {
  const screen = createScreen(process.stdout)
  for (const { name, status, message, fix } of checks) {
    screen.line(`${screen.paint(COLOURS[status], status.padEnd(4))}  ${name.padEnd(8)}  ${message}`)
    if (fix !== null) screen.line(`${' '.repeat(16)}${screen.paint('dim', fix)}`)
  }
}
