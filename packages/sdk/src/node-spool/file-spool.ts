import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, rmdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { pid } from 'node:process'
import type { Spool, SpooledEvent, SpooledLot } from '../emit/index.ts'
import { decodeLot, encodeLot } from './lot-format.ts'
import { listLots, listWriters, sizeOnDisk, totalBytes, writeWhole, type LotFile } from './spool-folder.ts'

export interface FileSpoolOptions {
  /** A folder of its own, for one server and one tenant's key; it is made with mode 0700. Several processes may share it. */
  folder: string
  /** What the folder holds at most, in bytes; more is refused, and lost. 1 or more. @default 67108864 (64 MiB) */
  maxBytes?: number
  /** Events older than this are forgotten, and reported, in milliseconds. Above 0. @default 259200000 (3 days) */
  maxAgeMs?: number
  /**
   * After how long without a sign of life another process' events are taken over, in milliseconds. Above 0.
   * @default 120000
   */
  orphanedAfterMs?: number
  /** The time in milliseconds since 1970. @default Date.now */
  now?: () => number
}

/** How often a process that has something in the folder shows that it is alive: some times before it is taken for dead. */
const SIGNS_OF_LIFE = 4

/**
 * Keeps events in files: each `append` one file, complete before it has its name, readable by its owner only.
 *
 * ```
 * folder/<scope>/<writer>/<time>-<number>.ndjson
 * ```
 *
 * A writer is a process, or what is left of one: its folder's time of change is its sign of life. Who finds one without takes
 * it over by renaming it, which one process succeeds in; so no two of them publish the same events, and what one process wrote
 * stays in order. If a process was only asleep, both publish the rest of a lot: the same ids and bytes, which the server knows.
 */
export class FileSpool implements Spool {
  onExpired?: (event: Pick<SpooledEvent, 'event_id' | 'type'>) => void
  readonly #options: Required<FileSpoolOptions>
  readonly #name: string
  #scope = ''
  #written = 0
  #lastTime = 0
  #usedBytes: number | null = null
  #beat: ReturnType<typeof setInterval> | undefined
  /** Folders of others that are ours now. */
  #adopted: string[] = []
  /** What was there when we last looked, oldest first. */
  #lots: LotFile[] = []

  /** @throws TypeError for an option that cannot be */
  constructor(options: FileSpoolOptions) {
    const { folder, maxBytes = 64 * 1024 * 1024, maxAgeMs = 3 * 86_400_000, orphanedAfterMs = 120_000 } = options
    if (typeof folder !== 'string' || folder === '') throw new TypeError('folder is the path of a folder')
    if (!(maxBytes >= 1)) throw new TypeError('maxBytes is 1 or more')
    if (!(maxAgeMs > 0)) throw new TypeError('maxAgeMs is above 0')
    if (!(orphanedAfterMs > 0)) throw new TypeError('orphanedAfterMs is above 0')
    this.#options = { folder, maxBytes, maxAgeMs, orphanedAfterMs, now: options.now ?? Date.now }
    this.#name = `w-${Date.now().toString(36)}-${pid}-${randomBytes(6).toString('hex')}`
  }

  open(scope: string): void {
    // Not the URL itself: it may hold what a path cannot.
    this.#scope = join(this.#options.folder, createHash('sha256').update(scope).digest('hex').slice(0, 16))
  }

  async append(events: readonly SpooledEvent[]): Promise<void> {
    if (events.length === 0) return
    const bytes = encodeLot(events)
    const used = (this.#usedBytes ??= await totalBytes(this.#options.folder))
    const size = sizeOnDisk(bytes.length)
    if (used + size > this.#options.maxBytes) {
      throw new Error(`the spool is full: ${used} of ${this.#options.maxBytes} bytes are used`)
    }
    // Names order lots, also where the clock goes back.
    this.#lastTime = Math.max(this.#options.now(), this.#lastTime)
    const name = `${String(this.#lastTime).padStart(15, '0')}-${String(this.#written++).padStart(9, '0')}`
    try {
      await writeWhole(await this.#ownFolder(), name, bytes)
    } catch (error) {
      if (!isMissing(error)) throw error
      // Taken over in this moment, by a process that took us for dead: a folder anew.
      await writeWhole(await this.#ownFolder(), name, bytes)
    }
    this.#usedBytes = (this.#usedBytes ?? 0) + size
  }

  async next(): Promise<SpooledLot | null> {
    // All that was seen before may be gone, with new ones behind it.
    const seen = this.#lots.length > 0 ? await this.#firstLot() : null
    if (seen !== null) return seen
    await this.#look()
    return this.#firstLot()
  }

  async close(): Promise<void> {
    clearInterval(this.#beat)
    this.#beat = undefined
    // Succeeds only where it is empty.
    await rmdir(this.#own()).catch(() => undefined)
  }

  async #firstLot(): Promise<SpooledLot | null> {
    const oldest = this.#options.now() - this.#options.maxAgeMs
    for (let lot = this.#lots.shift(); lot !== undefined; lot = this.#lots.shift()) {
      const { path, writtenAt } = lot
      const bytes = await readFile(path).catch(() => null)
      // Gone: it was taken over while we slept.
      if (bytes === null) continue
      const events = decodeLot(bytes)
      if (writtenAt < oldest) for (const event of events) this.onExpired?.(event)
      else if (events.length > 0) return { events, done: () => this.#forget(path, bytes.length) }
      await this.#forget(path, bytes.length)
    }
    return null
  }

  #own(): string {
    return join(this.#scope, this.#name)
  }

  async #ownFolder(): Promise<string> {
    const folder = this.#own()
    await mkdir(folder, { recursive: true, mode: 0o700 })
    this.#startBeat()
    return folder
  }

  #startBeat(): void {
    this.#beat ??= setInterval(() => void this.#showLife(), this.#options.orphanedAfterMs / SIGNS_OF_LIFE)
    this.#beat.unref()
  }

  /** By the clock that is compared with it later. */
  async #showLife(): Promise<void> {
    const now = new Date(this.#options.now())
    for (const folder of [this.#own(), ...this.#adopted]) await utimes(folder, now, now).catch(() => undefined)
  }

  /** Looks for lots: those of the processes that are no more first, then ours. */
  async #look(): Promise<void> {
    const taken = this.#adopted
    this.#adopted = []
    for (const folder of taken) {
      if ((await listLots(folder)).length > 0) this.#adopted.push(folder)
      else await rm(folder, { recursive: true, force: true })
    }
    await this.#adopt()
    this.#usedBytes = await totalBytes(this.#options.folder)
    const lots = await Promise.all([...this.#adopted, this.#own()].map(listLots))
    this.#lots = lots.flat()
  }

  /** Takes over what processes left behind that show no life any more. */
  async #adopt(): Promise<void> {
    const deadline = this.#options.now() - this.#options.orphanedAfterMs
    for (const { name, aliveAt } of await listWriters(this.#scope)) {
      const taken = join(this.#scope, `${name.split('~')[0] ?? name}~${this.#name}`)
      if (name === this.#name || this.#adopted.includes(taken) || aliveAt > deadline) continue
      try {
        await rename(join(this.#scope, name), taken)
      } catch {
        // Another process was faster.
        continue
      }
      this.#adopted.push(taken)
      this.#startBeat()
      await this.#showLife()
    }
  }

  async #forget(path: string, bytes: number): Promise<void> {
    await rm(path, { force: true })
    this.#usedBytes = Math.max(0, (this.#usedBytes ?? 0) - sizeOnDisk(bytes))
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT'
}
