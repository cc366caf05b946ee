import { mkdtemp, rm, stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acceptItem, T0 } from '../../packages/server/src/store/conformance/builders.ts'
import { openSqliteStore } from '../../packages/server/src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../packages/server/src/store/store.ts'

let folder: string
let path: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-regression-'))
  path = join(folder, 'runbell.db')
  store = await openSqliteStore({ path })
  await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

async function accept(data = '{"n":1}') {
  const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const items = [acceptItem({ configVersion, runId: null, data })]
  const [result] = await store.acceptEvents({ nodeId: 'a', recordedAt: T0, runEventBudget: 1000, items })
  if (result?.kind !== 'accepted') throw new Error(`not accepted: ${result?.kind}`)
  return result.position
}

/** A read transaction that stays open, as `runbell backup` has one for as long as the copy takes. */
function reading(): () => void {
  const reader = new DatabaseSync(path, { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM events').get()
  return () => reader.close()
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

describe('while a backup reads', () => {
  test('an erasure does not hold up every commit that comes after it', { timeout: 60_000 }, async () => {
    const position = await accept()
    const end = reading()
    await store.eraseEvent({ eventPosition: position, now: T0 })
    const [one, two] = [await msOf(accept), await msOf(accept)]
    end()
    expect([one, two].map((ms) => (ms < 500 ? 'fast' : `${Math.round(ms)} ms`))).toEqual(['fast', 'fast'])
  })

  test('making space on a disk that is low does not hold up every commit', { timeout: 60_000 }, async () => {
    const before = Array.from({ length: 20 }, () => accept(`{"x":"${'x'.repeat(50_000)}"}`))
    await Promise.all(before)
    await store.prune({ what: 'events', mode: 'live', before: T0 + 1, now: T0 + 1, limit: 1000, again: null })
    const end = reading()
    expect(await store.reclaimSpace({ keepBytes: 0, maxBytes: 100_000 })).toBeGreaterThan(0)
    const ms = await msOf(accept)
    end()
    expect(ms).toBeLessThan(500)
  })
})

test('space that the log has taken while somebody read is given back on a disk that is low', async () => {
  const end = reading()
  for (let count = 0; count < 200; count++) await accept(`{"x":"${'x'.repeat(100_000)}"}`)
  end()
  await accept()
  await store.reclaimSpace({ keepBytes: 0, maxBytes: 1024 * 1024 })
  await accept()
  expect((await stat(`${path}-wal`)).size).toBeLessThan(8 * 1024 * 1024)
})
