import { DatabaseSync } from 'node:sqlite'
import { MAX_INSPECTED_URLS, type InspectedContent, type Inspection } from '../inspection.ts'
import { placeMovedTo } from './moved-away.ts'
import { MIGRATIONS } from './schema.ts'

/** How long a statement waits for another connection: somebody sits in front of this. */
const WAIT_MS = 2000

/**
 * Looks into a database, also while a server uses it.
 * @param deep reads every page and compares it with its indexes; takes as long as that takes
 * @throws what SQLite throws where the file cannot be read or is none
 */
export function inspectSqlite(path: string, options: { deep: boolean }): Inspection & { damage: string | null } {
  const handle = new DatabaseSync(path, { readOnly: true, timeout: WAIT_MS })
  try {
    const schema = handle.prepare('PRAGMA user_version').get()?.['user_version'] as number
    const damage = options.deep ? damageOf(handle) : null
    const isKnown = schema === MIGRATIONS.length
    return {
      ...{ schema, knownSchema: MIGRATIONS.length, damage },
      movedTo: isKnown ? placeMovedTo(handle) : null,
      content: isKnown ? contentOf(handle) : null,
    }
  } finally {
    handle.close()
  }
}

/**
 * Whether a process has the database open. The lock is an exclusive transaction on a file beside it (`lock.ts`), during which nobody
 * else can read that file.
 */
export function isLocked(path: string): boolean {
  let handle: DatabaseSync
  try {
    handle = new DatabaseSync(`${path}.lock`, { readOnly: true, timeout: 0 })
  } catch {
    // There has never been one.
    return false
  }
  try {
    handle.prepare('SELECT count(*) FROM sqlite_master').get()
    return false
  } catch (error) {
    if (/locked|busy/i.test(String(error))) return true
    throw error
  } finally {
    handle.close()
  }
}

function damageOf(handle: DatabaseSync): string | null {
  const found = String(Object.values(handle.prepare('PRAGMA quick_check(1)').get() ?? {})[0])
  return found === 'ok' ? null : found
}

function contentOf(handle: DatabaseSync): InspectedContent {
  const all = (sql: string) => handle.prepare(sql).all()
  return {
    highWater: Number(all(`SELECT value FROM settings WHERE name = 'high_water'`)[0]?.['value'] ?? 0),
    adminKeys: Number(
      all(
        `SELECT count(*) AS count FROM api_keys WHERE scopes LIKE '%admin%' AND revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > unixepoch() * 1000)`,
      )[0]?.['count'],
    ),
    masterKeyIds: all('SELECT DISTINCT master_key_id AS id FROM data_keys').map(({ id }) => String(id)),
    urls: all(
      `SELECT DISTINCT json_extract(config, '$.url') AS url FROM endpoints
       WHERE deleted_at IS NULL AND json_extract(config, '$.url') IS NOT NULL LIMIT ${MAX_INSPECTED_URLS}`,
    ).map(({ url }) => String(url)),
  }
}
