import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const LOT_NAME = /^(\d{15})-\d{9}\.ndjson$/

/** Even a small file takes a block of the disk, so that 64 MiB are not a million files. */
const BLOCK_BYTES = 4096

export interface LotFile {
  path: string
  /** Milliseconds since 1970. */
  writtenAt: number
}

export function sizeOnDisk(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}

/** The lots in a writer's folder, oldest first. None where there is no such folder. */
export async function listLots(folder: string): Promise<LotFile[]> {
  const names = await namesIn(folder)
  return names.toSorted().flatMap((name) => {
    const time = LOT_NAME.exec(name)?.[1]
    return time === undefined ? [] : [{ path: join(folder, name), writtenAt: Number(time) }]
  })
}

/** The writers' folders of a scope, in the order in which they began, and when each showed life last. */
export async function listWriters(scope: string): Promise<{ name: string; aliveAt: number }[]> {
  const writers = []
  for (const name of (await namesIn(scope)).toSorted()) {
    const found = await stat(join(scope, name)).catch(() => null)
    if (name.startsWith('w-') && found?.isDirectory() === true) writers.push({ name, aliveAt: found.mtimeMs })
  }
  return writers
}

/** What all lots of all writers take on disk, about: others write and forget at the same time. */
export async function totalBytes(folder: string): Promise<number> {
  let total = 0
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    if (!name.endsWith('.ndjson')) continue
    const found = await stat(join(folder, name)).catch(() => null)
    total += sizeOnDisk(found?.size ?? 0)
  }
  return total
}

/** Writes a lot; it has its name only when it is whole and on disk. Only the owner may read it. */
export async function writeWhole(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, `${name}.tmp`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, join(folder, `${name}.ndjson`))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(folder)
}

/** So that the name, too, outlives a loss of power. Not every system can do that. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // The bytes are on disk; whether their name is, the system decides.
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
