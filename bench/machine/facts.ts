import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type as systemName } from 'node:os'
import { VERSION } from '../../packages/server/src/version.ts'

/** What the figures were measured on. */
export interface Facts {
  date: string
  processor: string
  cores: number
  memoryGib: number
  filesystem: string
  system: string
  node: string
  sqlite: string
  runbell: string
}

export function readFacts(folder: string): Facts {
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    filesystem: filesystemOf(folder),
    system: `${systemName()} ${release()}`,
    node: process.version,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    runbell: VERSION,
  }
}

/** The mount that the folder is on: the longest that its path begins with. */
function filesystemOf(folder: string): string {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
    const fits = (point: string) => point === '/' || folder === point || folder.startsWith(`${point}/`)
    const own = mounts
      .filter(([, point = '']) => fits(point))
      .toSorted((a, b) => (b[1] ?? '').length - (a[1] ?? '').length)
    return own[0]?.[2] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
