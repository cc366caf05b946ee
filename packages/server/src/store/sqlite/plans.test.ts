import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  acceptItem,
  ANY_DELIVERY,
  ANY_EVENT,
  attemptRecord,
  endpointRow,
  failedRecord,
  LEASE_MS,
  LIVE,
  newId,
  T0,
  target,
  type ItemInput,
} from '../conformance/builders.ts'
import type { AcceptItem } from '../accept.ts'
import type { CursorPage, DeliveryFilter, PageRequest, ReadScope } from '../rows.ts'
import type { RunFilter } from '../runs.ts'
import type { Row } from './database.ts'
import { openContext } from './request-group.ts'
import type { SqliteContext, Verbs } from './verbs/context.ts'
import { VERBS } from './verbs/index.ts'

/*
 * How each hot verb gets at its rows. SQLite plans by the schema alone where there are no statistics, and nothing here ever makes any
 * (`ANALYZE`): the plan for a few rows is the plan for ten million, so it is enough to look at it.
 */

/** What only those rows are in that the index is about: all of them are wanted. */
const WHOLE = [
  'deliveries_suspect',
  'deliveries_unannounced',
  'deliveries_dead',
  'endpoints_unsettled',
  'endpoints_narrowed',
]
/** Tables that have few rows, whatever is published; and no table at all. */
const FEW_ROWS = ['nodes', 'endpoints', 'CONSTANT']
/** Names that recursive statements give to their own rows. */
const RECURSIVE = ['w', 'm']

const folder = mkdtempSync(join(tmpdir(), 'runbell-plans-'))
const endpoints = [endpointRow(), endpointRow()]
let context: SqliteContext
let used: Set<string>

beforeAll(() => {
  context = openContext(join(folder, 'runbell.db'), 'writer')
  const { db } = context
  const prepare = db.prepare.bind(db)
  db.prepare = (sql) => {
    used.add(sql)
    return prepare(sql)
  }
  used = new Set()
  run('joinNode', { nodeId: 'n', leaseMs: LEASE_MS })
  for (const endpoint of endpoints) run('createEndpoint', { endpoint, maxPerTenant: 10 })
})
afterAll(() => {
  context.db.close()
  rmSync(folder, { recursive: true })
})

function run<Name extends keyof Verbs>(verb: Name, input: Parameters<Verbs[Name]>[1]): ReturnType<Verbs[Name]> {
  const work = VERBS[verb] as unknown as (context: SqliteContext, input: unknown) => ReturnType<Verbs[Name]>
  return work(context, input)
}

/** What SQLite says of each statement that the verb runs. */
function planOf<Name extends keyof Verbs>(verb: Name, input: Parameters<Verbs[Name]>[1]) {
  used.clear()
  const output = run(verb, input)
  const plan = [...used].flatMap((sql) =>
    (context.db.handle.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as Row[]).map((row) => String(row['detail'])),
  )
  return { output, plan }
}

/** Goes through no table, sorts nothing, and finds its rows by these indexes. */
function finds<Name extends keyof Verbs>(
  verb: Name,
  input: Parameters<Verbs[Name]>[1],
  by: readonly string[],
  { sorts = false } = {},
): ReturnType<Verbs[Name]> {
  const { output, plan } = planOf(verb, input)
  // What a statement has made of other rows: those are told apart.
  const made = plan.map((step) => /^(?:CO-ROUTINE|MATERIALIZE) (.*)$/.exec(step)?.[1])
  const few = [...FEW_ROWS, ...RECURSIVE, ...made]
  const through = plan.filter((step) => {
    const [, table = '', index] = /^SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?/.exec(step) ?? []
    return table !== '' && !few.includes(table) && !(index !== undefined && WHOLE.includes(index))
  })
  expect.soft(through, `${verb} goes through`).toEqual([])
  expect
    .soft(
      plan.filter((step) => !sorts && step.includes('TEMP B-TREE')),
      `${verb} sorts`,
    )
    .toEqual([])
  const found = plan.map((step) => /USING (.*)$/.exec(step)?.[1]?.replace(/^(COVERING )?INDEX /, '') ?? step)
  expect.soft(found, `${verb} finds by`).toEqual(expect.arrayContaining(by as string[]))
  return output
}

const ROWID = 'INTEGER PRIMARY KEY (rowid=?)'
const ONE_RUN = 'sqlite_autoindex_runs_1 (mode=? AND tenant_id=? AND run_id=?)'
const PAGE: PageRequest = { limit: 50, after: null }
const DEFAULT: ReadScope = { mode: 'live', tenantId: 'default' }

function items() {
  const configVersion = context.db.configVersion()
  const item = (more: ItemInput = {}) => {
    const targets = endpoints.map(({ id }) => target(id))
    return { ...acceptItem({ targets, ...more }), configVersion }
  }
  const granted = [target(endpoints[0]?.id ?? '', true)]
  return [item(), item({ runId: null, idempotencyKey: `key-${newId('event')}` }), item({ targets: granted })]
}

const accepting = (batch = items()) => ({ nodeId: 'n', recordedAt: T0, runEventBudget: 1000, items: batch })

test('there are no statistics that a plan could depend on', () => {
  const tables = context.db.handle.prepare(`SELECT name FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'`).all()
  expect(tables).toEqual([])
})

test('accepting: known ids, keys, runs', () => {
  const batch = items()
  finds('acceptEvents', accepting(batch), [
    'events_id (event_id=? AND tenant_id=? AND mode=?)',
    'sqlite_autoindex_runs_1 (mode=? AND tenant_id=? AND run_id=?)',
    'PRIMARY KEY (mode=? AND tenant_id=? AND key=?)',
  ])
  const again = finds('acceptEvents', accepting(batch), [ROWID])
  expect(again.map(({ kind }) => kind)).toEqual(['duplicate', 'duplicate', 'duplicate'])
})

test('finding, claiming and recording', () => {
  run('acceptEvents', accepting())
  finds('findDueEndpoints', { after: null, limit: 1000 }, ['deliveries_due (endpoint>?)'])
  const requests = endpoints.map(({ id }) => ({ endpointId: id, limit: 2 }))
  const { claims } = finds('claimDue', { nodeId: 'n', now: T0 + 1, requests }, [
    'deliveries_due (endpoint=? AND due_at<?)',
    'deliveries_due (endpoint=? AND due_at>?)',
    ROWID,
  ])
  expect(claims.length).toBeGreaterThan(1)
  const records = claims.map((claim, index) => (index === 0 ? failedRecord(claim, T0) : attemptRecord(claim)))
  finds('recordAttempts', { nodeId: 'n', now: T0, records }, [ROWID])
})

test('what is fetched: the head of the line by the index of what is due, and it is not sorted', () => {
  const pull = endpointRow({ kind: 'pull', url: null })
  run('createEndpoint', { endpoint: pull, maxPerTenant: 10 })
  const due = 'deliveries_due (endpoint=? AND due_at>?)'
  const ask = { endpointId: pull.id, now: T0, limit: 50, maxBytes: 1000 }
  finds('pullDeliveries', ask, [due, ROWID])
  finds('commitPulled', { endpointId: pull.id, place: 9, now: T0 }, [
    'deliveries_due (endpoint=? AND due_at>? AND due_at<?)',
  ])
  finds('dropRelays', { before: T0, now: T0, limit: 9 }, ['endpoints_relay (listened_at>? AND listened_at<?)'])
})

test('what crashed, or was never begun', () => {
  run('acceptEvents', accepting())
  finds('findClaims', { nodeId: 'n', limit: 100 }, ['deliveries_node (node=?)'])
  const requests = endpoints.map(({ id }) => ({ endpointId: id, limit: 5 }))
  const { claims } = run('claimDue', { nodeId: 'n', now: T0 + 1, requests })
  const released = claims.slice(0, 1).map((claim) => ({ ...claim, dueAt: T0 }))
  finds('releaseClaims', { nodeId: 'n', now: T0, claims: released }, [ROWID])
  run('leaveNode', { nodeId: 'n', highWater: T0 })
  run('joinNode', { nodeId: 'm', leaseMs: LEASE_MS })
  finds('rescueClaims', { nodeId: 'm', now: T0, limit: 100 }, ['deliveries_node (node=?)'])
  finds('claimSuspect', { nodeId: 'm', now: T0 }, [ROWID])
  run('joinNode', { nodeId: 'n', leaseMs: LEASE_MS })
})

test('what ends by itself, and what is to be told', () => {
  finds('expireDeliveries', { now: T0, limit: 100 }, ['deliveries_deadline (deadline>? AND deadline<?)'])
  finds('cancelHeld', { now: T0, disabledBefore: T0, limit: 100 }, [])
  finds('findUnannounced', { limit: 20 }, [ROWID])
  finds('countPending', { mode: 'live', tenantId: 'default', limit: 1000 }, [
    'deliveries_waiting (mode=? AND tenant_id=?)',
  ])
})

test('retention walks from its mark', () => {
  const round = { mode: 'live', before: T0 - 1, now: T0, limit: 100, again: null } as const
  for (const what of ['payloads', 'attempts', 'idempotency', 'events'] as const) {
    finds('prune', { ...round, what }, ['PRIMARY KEY (what=? AND mode=?)', 'INTEGER PRIMARY KEY (rowid>?)'])
  }
})

/** SQLite sorts the counts of one event's deliveries, which have few statuses, and the rows of one run, which has a budget. */
const SORTED = { sorts: true }

test('events and runs', () => {
  run('acceptEvents', accepting())
  const list = (scope: ReadScope, runId: string | null) => ({ scope, filter: { ...ANY_EVENT, runId }, page: PAGE })
  finds('findEvents', { scope: LIVE, eventId: 'evt_1' }, ['events_id (event_id=?)'])
  for (const scope of [LIVE, DEFAULT]) {
    finds('listEvents', list(scope, null), ['INTEGER PRIMARY KEY (rowid>?)', 'deliveries_event (event=?)'], SORTED)
    finds('listEvents', list(scope, 'run-1'), ['events_run (run=?)', ONE_RUN], SORTED)
    finds('findRuns', { scope, runId: 'run-1' }, [ONE_RUN, ROWID, 'events_run (run=?)'], SORTED)
  }
  finds('listRunEvents', { run: 1, after: 0, limit: 50 }, ['events_run (run=?)'], SORTED)
  const any = { statuses: [], agentId: null, taskId: null, parentRunId: null, since: null, until: null }
  const runs = (filter: Partial<RunFilter>) => ({ scope: DEFAULT, filter: { ...any, ...filter }, page: PAGE })
  finds('listRuns', runs({}), ['runs_tenant (mode=? AND tenant_id=?)'])
  finds('listRuns', runs({ taskId: 'task-1' }), ['runs_task (mode=? AND tenant_id=? AND task_id=?)'])
  finds('listRuns', runs({ parentRunId: 'run-1' }), ['runs_parent (mode=? AND tenant_id=? AND parent_run_id=?)'])
})

test('deliveries', () => {
  const list = (filter: Partial<DeliveryFilter>, scope = LIVE) => ({
    ...{ scope, filter: { ...ANY_DELIVERY, ...filter }, page: PAGE },
  })
  const endpointId = endpoints[0]?.id ?? ''
  for (const scope of [LIVE, DEFAULT]) {
    finds('listDeliveries', list({}, scope), ['INTEGER PRIMARY KEY (rowid>?)'])
    finds('listDeliveries', list({ statuses: ['pending'] }, scope), ['INTEGER PRIMARY KEY (rowid>?)'])
    finds('listDeliveries', list({ deadLetters: true }, scope), ['deliveries_dead (position>?)'])
    finds('listDeliveries', list({ endpointId }, scope), ['deliveries_endpoint (endpoint=?)'])
    finds('listDeliveries', list({ eventPosition: 1 }, scope), ['deliveries_event (event=?)'])
    const ofRun = ['events_run (run=?)', ONE_RUN, 'deliveries_event (event=?)']
    finds('listDeliveries', list({ runId: 'run-1' }, scope), ofRun, SORTED)
  }
  const activity = { endpointId, since: T0, deliveries: 200, pendingLimit: 1000 }
  finds('readActivity', activity, ['deliveries_due (endpoint=? AND due_at>?)', 'deliveries_endpoint (endpoint=?)'])
})

test('the few events of one tenant are looked for in pieces, however many of others lie between them', () => {
  const { db } = context
  const page = { limit: 10, after: null }
  const scope: ReadScope = { mode: 'live', tenantId: 'small' }
  const { handle } = db
  const [first] = run(
    'acceptEvents',
    accepting([{ ...items()[0], tenantId: 'small', eventId: 'evt_first' } as AcceptItem]),
  )
  handle.exec(`UPDATE sqlite_sequence SET seq = seq + 120000 WHERE name IN ('events', 'deliveries')`)
  run('acceptEvents', accepting([{ ...items()[0], tenantId: 'small', eventId: 'evt_last' } as AcceptItem]))
  expect(first?.kind).toBe('accepted')
  for (const verb of ['listEvents', 'listDeliveries'] as const) {
    const seen: string[][] = []
    let after: number | null = null
    do {
      const asked = { scope, page: { ...page, after } }
      const part: CursorPage<{ eventId: string }> =
        verb === 'listEvents'
          ? run(verb, { ...asked, filter: ANY_EVENT })
          : run(verb, { ...asked, filter: ANY_DELIVERY })
      seen.push([...new Set(part.rows.map(({ eventId }) => eventId))])
      after = part.next
    } while (after !== null)
    expect(seen).toEqual([['evt_last'], [], ['evt_first']])
  }
})
