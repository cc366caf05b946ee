import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Ballast } from './ballast.ts'
import { DiskGuard, type DiskState } from './disk-guard.ts'

const MIB = 1024 * 1024
const LOW = 128 * MIB

/** A disk with so much free space, of which the ballast takes its part. */
class Disk {
  free = 1000 * MIB
  ballast = false
  /** More can not be written, whatever is free. */
  quota = false
  readonly told: DiskState[] = []
  readonly guard = new DiskGuard({
    freeBytes: async () => this.free,
    lowWaterBytes: LOW,
    onChange: (state) => void this.told.push(state),
    ballast: {
      bytes: 32 * MIB,
      exists: async () => this.ballast,
      make: async () => {
        if (!this.quota && !this.ballast) this.free -= 32 * MIB
        this.ballast = !this.quota
        return this.ballast
      },
      release: async () => {
        if (this.ballast) this.free += 32 * MIB
        this.ballast = false
      },
    },
  })

  /** Looks with this much free. */
  async at(mib: number): Promise<DiskState> {
    this.free = mib * MIB
    return await this.guard.runOnce()
  }
}

describe('the state of the disk', () => {
  test('is ok with a ballast, low without publishing, full without it', async () => {
    const disk = new Disk()
    expect(await disk.at(1000)).toBe('ok')
    expect(disk.ballast).toBe(true)
    expect(await disk.at(127)).toBe('low')
    expect(disk.ballast).toBe(true)
    expect(await disk.at(31)).toBe('full')
    expect([disk.ballast, disk.free / MIB]).toEqual([false, 63])
    expect(disk.told).toEqual(['low', 'full'])
  })

  test('comes back from low with a tenth more, so that it does not flicker', async () => {
    const disk = new Disk()
    await disk.at(100)
    expect(await disk.at(129)).toBe('low')
    expect(await disk.at(141)).toBe('ok')
    expect(disk.told).toEqual(['low', 'ok'])
  })

  test('comes back from full only when the ballast is there again', async () => {
    const disk = new Disk()
    await disk.at(1000)
    await disk.at(10)
    expect(await disk.at(159)).toBe('full')
    disk.quota = true
    expect(await disk.at(161)).toBe('full')
    disk.quota = false
    expect(await disk.at(161)).toBe('ok')
    expect(disk.ballast).toBe(true)
    expect(disk.told).toEqual(['full', 'ok'])
  })

  test('is full at once when a write failed, though the system says that there is space', async () => {
    const disk = new Disk()
    await disk.at(1000)
    disk.guard.writeFailed()
    expect(disk.guard.state).toBe('full')
    disk.quota = true
    expect(await disk.at(1000)).toBe('full')
    expect(disk.ballast).toBe(false)
    expect(await disk.at(1000)).toBe('full')
    disk.quota = false
    expect(await disk.at(1000)).toBe('ok')
    expect(disk.told).toEqual(['full', 'ok'])
  })

  test('is known at a start before anything is written', async () => {
    const disk = new Disk()
    disk.free = 127 * MIB
    await disk.guard.look()
    expect([disk.guard.state, disk.ballast]).toEqual(['low', false])
    const full = new Disk()
    await full.at(1000)
    full.free = 1
    await full.guard.look()
    expect([full.guard.state, full.ballast]).toEqual(['full', false])
    // Nothing is taken from a disk that has little left.
    expect(await disk.at(127)).toBe('low')
    expect(disk.ballast).toBe(false)
  })
})

describe('the ballast', () => {
  test('takes up its space, and gives it back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'runbell-ballast-'))
    const ballast = new Ballast(join(folder, 'ballast'), 2.5 * MIB)
    expect(await ballast.exists()).toBe(false)
    expect(await ballast.make()).toBe(true)
    const { size, blocks } = await stat(join(folder, 'ballast'))
    expect(size).toBe(2.5 * MIB)
    expect(blocks * 512).toBeGreaterThanOrEqual(size)
    expect(await ballast.exists()).toBe(true)
    await ballast.release()
    await ballast.release()
    expect(await readdir(folder)).toEqual([])
    await rm(folder, { recursive: true })
    expect(await ballast.make()).toBe(false)
  })
})
