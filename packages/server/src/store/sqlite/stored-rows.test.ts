import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openInlineSqliteStore } from '../../../test/inline-sqlite-store.ts'
import type { AcceptItem } from '../accept.ts'
import {
  acceptItem,
  endpointRow,
  expectedPrepared,
  factItem,
  hex,
  preparedBody,
  T0,
  target,
} from '../conformance/builders.ts'
import type { Store } from '../store.ts'

let folder: string
let path: string
let store: Store
let endpointId: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-rows-'))
  path = join(folder, 'runbell.db')
  store = openInlineSqliteStore(path)
  await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
  const endpoint = endpointRow()
  endpointId = endpoint.id
  await store.createEndpoint({ endpoint, maxPerTenant: 10 })
})

afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

function read(sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db.prepare(sql).all()
  db.close()
  return rows
}

/** Every row of every table. */
function everything(): unknown {
  const tables = read(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
  return Object.fromEntries(tables.map(({ name }) => [name, read(`SELECT * FROM ${String(name)}`)]))
}

async function accept(items: AcceptItem[], runEventBudget = 1000) {
  const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const current = items.map((item) => ({ ...item, configVersion }))
  return store.acceptEvents({ nodeId: 'a', recordedAt: T0, runEventBudget, items: current })
}

/** An item with everything that acceptance stores. */
function full(type: string, input: Parameters<typeof factItem>[1] = {}): AcceptItem {
  const child = { kind: 'approval', id: 'apr-1' } as const
  const item = factItem(type, { child, idempotencyKey: 'order-1', targets: [target(endpointId, true, 0)], ...input })
  return { ...item, bodies: [preparedBody(item, '{"cut":1}}')] }
}

describe('rows of accepted events', () => {
  it('hold each distinct body once, however many get it, and the uncut one not at all', async () => {
    const wanted = Array.from({ length: 50 }, (_, index) => (index % 3) - 1)
    const item = acceptItem({ targets: wanted.map((body) => target(endpointId, false, body)) })
    const bodies = [preparedBody(item, '{"one":1}}'), preparedBody(item, '{"two":2}}')]
    await accept([{ ...item, bodies }])
    const rows = read('SELECT body FROM bodies ORDER BY ref')
    expect(rows.map(({ body }) => hex(body as Uint8Array))).toEqual(
      bodies.map((body) => hex(expectedPrepared(body, T0, 1))),
    )
    const counts = read('SELECT body, count(*) AS count FROM deliveries GROUP BY body ORDER BY body')
    expect(counts).toMatchObject([
      { body: null, count: 17 },
      { body: 1, count: 17 },
      { body: 2, count: 16 },
    ])
  })

  it('are none at all of what was refused, stale, in conflict or a duplicate', async () => {
    const strict = { strict: true }
    const known = full('agent.run.started', { idempotencyKey: null })
    await accept([known, factItem('agent.run.completed')])
    const before = everything()
    const results = await accept(
      [
        full('agent.run.failed'),
        full('agent.approval.approved', { ...strict, runId: 'run-new' }),
        known,
        { ...known, fingerprint: new Uint8Array(32) },
        full('agent.run.waiting'),
      ],
      2,
    )
    expect(results).toMatchObject([
      { code: 'run_already_ended' },
      { code: 'state_conflict' },
      { kind: 'duplicate' },
      { kind: 'conflict' },
      { code: 'run_event_budget_exceeded' },
    ])
    const old = { ...full('agent.run.started', { runId: 'run-new' }), configVersion: 0 }
    const stale = await store.acceptEvents({ nodeId: 'a', recordedAt: T0, runEventBudget: 1000, items: [old] })
    expect(stale).toMatchObject([{ kind: 'stale' }])
    expect(everything()).toEqual(before)
  })

  it('count the events that broke the lifecycle of their run', async () => {
    await accept([factItem('agent.run.started'), factItem('agent.run.started'), factItem('agent.run.resumed')])
    await accept([factItem('agent.run.completed'), factItem('agent.run.failed', { runId: 'run-2' })])
    const rows = read('SELECT run_id, lifecycle_warnings, ended_by FROM runs ORDER BY run_id')
    expect(rows).toMatchObject([
      { run_id: 'run-1', lifecycle_warnings: 2, ended_by: 'agent.run.completed' },
      { run_id: 'run-2', lifecycle_warnings: 1, ended_by: 'agent.run.failed' },
    ])
  })
})
