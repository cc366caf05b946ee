import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { newId } from '../../packages/server/src/core/new-id.ts'
import { createSystemRandom } from '../../packages/server/src/system.ts'

export interface Commits {
  /** B2: CPU microseconds per event, 100 events and 100 outcomes in a transaction. */
  groupMicros: number
  /** B4: median milliseconds of a commit of one row. */
  singleMs: number
}

const GROUP = 100
const SINGLES = 200

/** What the database takes at least: WAL, `synchronous=FULL`, prepared statements, and nothing else. */
export async function measureCommits(folder: string, seconds: number): Promise<Commits> {
  const path = await mkdtemp(join(folder, 'commits-'))
  const database = new DatabaseSync(join(path, 'bare.db'))
  try {
    database.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE events (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
      CREATE TABLE outcomes (event INTEGER, number INTEGER, outcome INTEGER, PRIMARY KEY (event, number)) WITHOUT ROWID`)
    const singles = Array.from({ length: SINGLES }, () => commitOne(database)).toSorted((a, b) => a - b)
    const groupMicros = commitGroups(database, seconds)
    return { groupMicros, singleMs: singles[SINGLES >> 1] as number }
  } finally {
    database.close()
    await rm(path, { recursive: true, force: true })
  }
}

const random = createSystemRandom()
const BODY = randomBytes(1024)

function insert(database: DatabaseSync): number {
  const id = newId('event', 'live', Date.now(), random)
  return Number(database.prepare('INSERT INTO events (id, body) VALUES (?, ?)').run(id, BODY).lastInsertRowid)
}

function commitOne(database: DatabaseSync): number {
  const started = performance.now()
  insert(database)
  return performance.now() - started
}

function commitGroups(database: DatabaseSync, seconds: number): number {
  const event = database.prepare('INSERT INTO events (id, body) VALUES (?, ?)')
  const outcome = database.prepare('INSERT INTO outcomes VALUES (?, 1, 0)')
  const before = process.cpuUsage()
  const until = performance.now() + seconds * 1000
  let events = 0
  while (performance.now() < until) {
    database.exec('BEGIN IMMEDIATE')
    for (let count = 0; count < GROUP; count++) {
      const { lastInsertRowid } = event.run(newId('event', 'live', Date.now(), random), BODY)
      outcome.run(lastInsertRowid)
    }
    database.exec('COMMIT')
    events += GROUP
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / events
}
