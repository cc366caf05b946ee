import { randomBytes, randomFillSync } from 'node:crypto'
import type { Clock, RandomSource } from './core/clock.ts'
import { ServiceClock } from './core/service-clock.ts'

/** The machine's clocks. */
export function createSystemClock(highWater: number, onSuspicious: (suspicious: boolean) => void): Clock {
  const monotonic = () => performance.now()
  const service = new ServiceClock(highWater, Date.now(), monotonic())
  let suspicious = false
  return {
    now() {
      const now = service.read(Date.now(), monotonic())
      if (service.suspicious !== suspicious) onSuspicious((suspicious = service.suspicious))
      return now
    },
    wall: () => Date.now(),
    monotonic,
    after(ms, run) {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
  }
}

const POOL_SIZE = 4096

/** The operating system's randomness, read in blocks: one call for each id costs more than the id. */
export function createSystemRandom(): RandomSource {
  const pool = randomBytes(POOL_SIZE)
  let used = 0
  return {
    bytes(length) {
      if (length > POOL_SIZE / 4) return randomBytes(length)
      if (used + length > POOL_SIZE) {
        randomFillSync(pool)
        used = 0
      }
      const bytes = pool.slice(used, used + length)
      used += length
      return Uint8Array.from(bytes)
    },
    fraction: () => Math.random(),
  }
}
