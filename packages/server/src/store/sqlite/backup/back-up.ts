import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'

export interface BackupOptions {
  /** The database; a server may be using it. */
  path: string
  /** Where the copy goes, one file; what is there is replaced once the copy is whole. */
  target: string
  /** Called now and then with what has been written, and about how much it will be. */
  onProgress?(bytes: number, ofBytes: number): void
}

const PROGRESS_MS = 500
const WORKER = new URL('./copy-worker.ts', import.meta.url)

/**
 * Copies a database as it is at one moment into one file, checks the copy, and has it on the disk before it gets its name.
 * @returns its size in bytes
 * @throws Error from SQLite or the file system; a part of a copy is left only where the process is killed, as `*.partial`
 */
export async function backUp({ path, target, onProgress }: BackupOptions): Promise<number> {
  // Of two at once each makes its own, and the later one keeps the name.
  const partial = `${target}.${randomUUID().slice(0, 8)}.partial`
  try {
    await copy(path, partial, onProgress ?? (() => {}))
    await makeDurable(partial)
    await rename(partial, target)
    await syncFolder(dirname(target))
    return (await stat(target)).size
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

async function copy(path: string, target: string, onProgress: (bytes: number, ofBytes: number) => void): Promise<void> {
  // Made here, for this user alone: SQLite takes an empty file for none.
  await (await open(target, 'wx', 0o600)).close()
  const ofBytes = sizeOf(path)
  const worker = new Worker(WORKER, { workerData: { path, target } })
  const timer = setInterval(() => {
    void stat(target).then(
      ({ size }) => onProgress(size, ofBytes),
      () => {},
    )
  }, PROGRESS_MS)
  try {
    const check = await new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('the copying thread ended')))
    })
    if (check !== 'ok') throw new Error(`the copy is not whole: ${String(check)}`)
  } finally {
    clearInterval(timer)
  }
}

/** What is in use of a database, in bytes. */
function sizeOf(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    const read = (pragma: string) => Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number
    return (read('page_count') - read('freelist_count')) * read('page_size')
  } finally {
    database.close()
  }
}

export async function makeDurable(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.chmod(0o600)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A name is on the disk once its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
