import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Settings } from '../../config/settings.ts'
import { fail, ok, warn, type Check } from './check.ts'

/** Below so many times the low-water mark it is time to do something. */
const ROOM = 4
const MIB = 1024 * 1024

/** Free space against the mark below which nothing is accepted. */
export async function checkDisk(settings: Settings): Promise<Check> {
  if (settings.databaseUrl !== null) return ok('disk', 'the data is on the disk of Postgres')
  let folder = resolve(settings.dataDir)
  while (!existsSync(folder)) folder = dirname(folder)
  const { bavail, bsize } = await statfs(folder)
  return judgeDisk(bavail * bsize, settings.freeBytes)
}

export function judgeDisk(freeBytes: number, lowWaterBytes: number): Check {
  const free = `${mebibytes(freeBytes)} are free`
  const fix = 'Make space, move the data folder to a larger disk, or shorten retention.'
  if (freeBytes < lowWaterBytes) {
    return fail('disk', `${free}, and below ${mebibytes(lowWaterBytes)} nothing is accepted`, fix)
  }
  if (freeBytes < lowWaterBytes * ROOM) {
    return warn('disk', `${free}; below ${mebibytes(lowWaterBytes)} nothing is accepted any more`, fix)
  }
  return ok('disk', `${free}; below ${mebibytes(lowWaterBytes)} nothing is accepted`)
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / MIB).toLocaleString('en')} MiB`
}
