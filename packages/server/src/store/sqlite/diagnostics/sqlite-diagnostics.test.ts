import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LIVE, T0 } from '../../conformance/builders.ts'
import { describeDiagnosticStore } from '../../conformance/diagnostics.ts'
import type { DiagnosticStore, NewDiagnostic } from '../../diagnostics.ts'
import { StoreUnavailable } from '../../store.ts'
import { packRows } from './packed-rows.ts'
import { openDiagnosticsFile } from './database.ts'
import { openSqliteDiagnostics } from './sqlite-diagnostics.ts'
import { runVerb, type DiagnosticVerbs } from './verbs.ts'

let folder: string
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'runbell-diagnostics-'))))
afterEach(() => rm(folder, { recursive: true, force: true }))
const file = () => join(folder, 'diagnostics.db')

/** The same verbs without the thread, which takes half a second to start. */
function openInline(path: string): DiagnosticStore {
  const database = openDiagnosticsFile(path)
  let isOpen = true
  const verb = (name: keyof DiagnosticVerbs) => async (input?: unknown) => {
    if (!isOpen) throw new StoreUnavailable('unavailable', 'closed')
    if (name !== 'append') return runVerb(database, name, input)
    const { diagnostics } = input as { diagnostics: NewDiagnostic[] }
    return runVerb(database, name, { packed: packRows(diagnostics) })
  }
  const names = ['append', 'list', 'lastPosition', 'erase', 'prune', 'pruneBeyond'] as const
  const verbs = Object.fromEntries(names.map((name) => [name, verb(name)])) as unknown as DiagnosticStore
  return {
    ...verbs,
    async close() {
      if (isOpen) database.close()
      isOpen = false
    },
  }
}

describeDiagnosticStore('SQLite', async () => {
  let store = openInline(file())
  return {
    store,
    async reopen() {
      await store.close()
      store = openInline(file())
      return store
    },
    cleanup: () => store.close(),
  }
})

const one = (body: string, runId: string | null = null): NewDiagnostic => ({
  ...{ mode: 'live', tenantId: 'default', runId, traceId: null, name: 'model.call', severity: 2, recordedAt: T0, body },
})
const ANY = { runId: null, traceId: null, names: [], leastSeverity: 0, since: null, until: null }
const PAGE = { limit: 10, order: 'oldest' as const, after: null }

describe('the file of diagnostics', () => {
  test('is made by the first of them, and by no look', async () => {
    const store = openSqliteDiagnostics({ path: file() })
    await store.list({ scope: LIVE, filter: ANY, page: PAGE })
    await store.prune({ mode: 'live', before: T0, limit: 10 })
    expect(existsSync(file())).toBe(false)
    await store.append({ diagnostics: [one('{}')] })
    expect(existsSync(file())).toBe(true)
    await store.close()
  })

  test('holds nothing any more of what was erased, in no part of it', async () => {
    const store = openSqliteDiagnostics({ path: file() })
    await store.append({ diagnostics: [one('{"a":"the canary sings"}', 'run-1'), one('{"a":"another bird"}')] })
    expect(await store.erase({ scope: LIVE, runId: 'run-1', limit: 10 })).toBe(1)
    const read = async (suffix: string) =>
      existsSync(file() + suffix) ? (await readFile(file() + suffix)).toString('latin1') : ''
    const all = (await Promise.all(['', '-wal', '-shm'].map(read))).join('')
    expect(all).toContain('another bird')
    expect(all).not.toContain('canary')
    await store.close()
  })

  test('that is none of ours stops diagnostics alone, says why, and is left as it is', async () => {
    await writeFile(file(), 'this is no database, and long enough to be looked at as one'.repeat(20))
    const troubles: Error[] = []
    let now = 0
    const store = openSqliteDiagnostics({
      ...{ path: file(), monotonic: () => now },
      onTrouble: (error) => void troubles.push(error),
    })
    const append = () => store.append({ diagnostics: [one('{}')] })
    await expect(append()).rejects.toMatchObject({ code: 'unavailable' })
    await expect(append()).rejects.toMatchObject({ code: 'unavailable' })
    expect(troubles).toHaveLength(1)
    expect(troubles[0]?.message).toMatch(/not a database/)
    // Somebody has moved it away: it is tried again after a while.
    await rm(file())
    await expect(append()).rejects.toMatchObject({ code: 'unavailable' })
    now += 10_000
    await append()
    expect((await store.list({ scope: LIVE, filter: ANY, page: PAGE })).rows).toHaveLength(1)
    await store.close()
  })
})
