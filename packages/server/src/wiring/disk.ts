import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import { Ballast } from '../maintenance/disk/ballast.ts'
import { DiskGuard, type DiskState } from '../maintenance/disk/disk-guard.ts'

/** Guards the disk that the data is on. @param onChange after it has been logged */
export function createDiskGuard(settings: Settings, log: Logger, onChange: (state: DiskState) => void): DiskGuard {
  const { dataDir, freeBytes: lowWaterBytes } = settings
  return new DiskGuard({
    async freeBytes() {
      const { bavail, bsize } = await statfs(dataDir)
      return bavail * bsize
    },
    ballast: new Ballast(join(dataDir, 'ballast'), Math.ceil(lowWaterBytes / 4)),
    lowWaterBytes,
    onChange(state, freeBytes) {
      const facts = { state, free_bytes: freeBytes, low_water_bytes: lowWaterBytes }
      if (state === 'ok') log.info(facts, 'disk.recovered')
      else
        log.error(facts, state === 'low' ? 'disk.low: nothing is accepted' : 'disk.full: nothing is sent or accepted')
      onChange(state)
    },
  })
}

/** The data is on a disk of another machine, which says itself when it is full. */
export function elsewhere(): DiskGuard {
  const ballast = { bytes: 0, exists: async () => true, make: async () => true, release: async () => {} }
  return new DiskGuard({ freeBytes: async () => Infinity, ballast, lowWaterBytes: 0, onChange: () => {} })
}
