import { existsSync, statSync } from 'node:fs'
import type { ApiClient } from './api-client.ts'
import { CliError } from './cli-error.ts'

/** How often the catalog is looked at. */
const LOOK_EVERY_MS = 1000
const CATALOG_FILE = 'runbell.catalog.json'

export interface WatchOptions {
  /** Where types go; `null`: nowhere. */
  types: string | null
  /** The catalog that is registered where it is there. @default the file in the working directory */
  file?: string
  /** @default 1000 */
  everyMs?: number
  /** What has been done, and what is wrong. @default to standard error */
  say?: (line: string) => void
}

/**
 * Registers the catalog file of this folder, again whenever it changes, and writes types of the server's catalog whenever that
 * changes. What is wrong with either is said once, and looked at again.
 */
export async function watchCatalog(api: ApiClient, options: WatchOptions): Promise<{ close(): void }> {
  const { types, file = CATALOG_FILE, everyMs = LOOK_EVERY_MS, say = sayOnStandardError } = options
  if (types === null && !existsSync(file)) return { close() {} }
  let seen: number | null = null
  let written: string | null = null
  let lastTrouble = ''
  const look = async () => {
    const changedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null
    if (changedAt !== null && changedAt !== seen) {
      seen = changedAt
      await register(api, file, say)
    }
    if (types !== null) written = await writeTypes(api, types, { written, say })
  }
  const attempt = async () => {
    try {
      await look()
      lastTrouble = ''
    } catch (error) {
      const message = `runbell: ${error instanceof CliError ? error.message : String(error)}`
      if (message !== lastTrouble) say(message)
      lastTrouble = message
    }
  }
  let closed = false
  let timer: NodeJS.Timeout | undefined
  const again = async () => {
    await attempt()
    if (!closed) timer = setTimeout(() => void again(), everyMs).unref()
  }
  await again()
  return {
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

function sayOnStandardError(line: string): void {
  process.stderr.write(`${line}\n`)
}

async function register(api: ApiClient, file: string, say: (line: string) => void): Promise<void> {
  const [{ readCatalog }, { findTypes }, { pushType }, { invalidTypes }] = await Promise.all([
    import('./catalog/read-catalog.ts'),
    import('./catalog/server-catalog.ts'),
    import('./catalog/push-catalog.ts'),
    import('./catalog/check-catalog.ts'),
  ])
  const types = readCatalog(file)
  const [invalid] = invalidTypes(types)
  if (invalid !== undefined) {
    const [first] = invalid.errors
    throw new CliError(`${file}: ${invalid.type} ${first?.path ?? ''} ${first?.message ?? 'cannot be registered'}`)
  }
  const known = await findTypes(
    api,
    types.map(({ type }) => type),
  )
  for (const type of types) {
    const { outcome, current_version: version } = await pushType(api, type, known.get(type.type) ?? null)
    if (outcome !== 'unchanged') say(`catalog: ${type.type}, version ${version}, ${outcome}`)
  }
}

async function writeTypes(
  api: ApiClient,
  path: string,
  { written, say }: { written: string | null; say: (line: string) => void },
): Promise<string> {
  const [{ entryOfView, ownTypes }, { typesSource }, { staleFiles, writeFiles }] = await Promise.all([
    import('./catalog/server-catalog.ts'),
    import('./catalog/generate-files.ts'),
    import('./catalog/made-files.ts'),
  ])
  const entries = (await ownTypes(api)).map(entryOfView)
  const source = typesSource(entries)
  if (source === written) return source
  const files = new Map([[path, source]])
  const stale = staleFiles(files)
  writeFiles(files, stale)
  if (stale.length > 0) say(`${path}: ${entries.length} event types of your own`)
  return source
}
