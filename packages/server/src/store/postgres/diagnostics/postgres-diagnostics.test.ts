import { afterAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../../../tests/support/postgres-database.ts'
import { LIVE, T0 } from '../../conformance/builders.ts'
import { describeDiagnosticStore } from '../../conformance/diagnostics.ts'
import type { DiagnosticStore, NewDiagnostic } from '../../diagnostics.ts'
import { openPostgresDiagnostics } from './postgres-diagnostics.ts'

let made: Promise<TestDatabase> | null = null
let shared: DiagnosticStore | null = null
const database = () => (made ??= createTestDatabase())
afterAll(async () => {
  await shared?.close()
  await (await made)?.drop()
})

describeDiagnosticStore('Postgres', async () => {
  const { url, query } = await database()
  const store = (shared ??= openPostgresDiagnostics({ url }))
  await store.lastPosition()
  await query('TRUNCATE runbell.diagnostics')
  const end = async () => {
    await shared?.close()
    shared = null
  }
  return {
    store,
    async reopen() {
      await end()
      return (shared = openPostgresDiagnostics({ url }))
    },
    cleanup: end,
  }
})

const one = (body: string): NewDiagnostic => ({
  ...{ mode: 'live', tenantId: 'a', runId: null, traceId: null, name: 'model.call', severity: 2, recordedAt: T0, body },
})

test('whoever follows positions misses none, however many nodes write', async () => {
  const { url, query } = await database()
  const nodes = Array.from({ length: 3 }, () => openPostgresDiagnostics({ url }))
  await nodes[0]?.lastPosition()
  await query('TRUNCATE runbell.diagnostics')
  const filter = { runId: null, traceId: null, names: [], leastSeverity: 0, since: null, until: null }
  const writing = nodes.map(async (node, index) => {
    for (let group = 0; group < 20; group++) {
      await node.append({ diagnostics: Array.from({ length: 10 }, (_, n) => one(`"${index}-${group}-${n}"`)) })
    }
  })
  const seen: string[] = []
  let isOver = false
  const all = Promise.all(writing).then(() => void (isOver = true))
  for (let after = 0, rest = true; rest;) {
    rest = !isOver
    const page = { limit: 1000, order: 'oldest' as const, after }
    const { rows } = (await nodes[0]?.list({ scope: LIVE, filter, page })) ?? { rows: [] }
    seen.push(...rows.map(({ body }) => body))
    after = rows.at(-1)?.position ?? after
  }
  await all
  expect(new Set(seen).size).toBe(600)
  expect(seen).toHaveLength(600)
  await Promise.all(nodes.map((node) => node.close()))
})

test('a database that is away is not now, and no end', async () => {
  const store = openPostgresDiagnostics({ url: 'postgres://postgres@127.0.0.1:1/none' })
  await expect(store.append({ diagnostics: [one('{}')] })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(store.lastPosition()).rejects.toMatchObject({ code: 'unavailable' })
  await store.close()
})
