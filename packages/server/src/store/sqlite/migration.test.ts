import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIGRATIONS } from './schema.ts'
import { openInlineSqliteStore } from '../../../test/inline-sqlite-store.ts'
import {
  acceptItem,
  ALL_DELIVERIES,
  ALL_EVENTS,
  attemptRecord,
  bytes,
  endpointRow,
  factItem,
  hex,
  LIVE,
  MINUTE,
  ONE_PAGE,
  sha256Hex,
  T0,
  text,
} from '../conformance/builders.ts'
import type { DataClass } from '@runbell/sdk/contract'
import type { Store } from '../store.ts'
import { configOf } from './verbs/endpoint-rows.ts'

const BASE = new URL('./migrations/0001-base.sql', import.meta.url)
const OLD_VERSION = 1
/** Nothing of it is UTF-8, so whoever decodes it breaks it. */
const BINARY = Uint8Array.from({ length: 64 }, (_, index) => 255 - index)

let folder: string
let path: string
let store: Store

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-migration-'))
  path = join(folder, 'runbell.db')
  makeOldDatabase(await readFile(BASE, 'utf8'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

/** Type and run of each event. */
const FACTS: [type: string, run: number | null][] = [
  ['acme.note.taken', 1],
  ['agent.approval.requested', 1],
  ['acme.note.taken', null],
  ['agent.run.started', 2],
  ['agent.run.waiting', 2],
  ['agent.run.started', 3],
  ['agent.run.failed', 3],
]
/** Their bodies: prefix, `data`, and what stood around it. */
const OLD_EVENTS = FACTS.map((_, index) => {
  const number = index + 1
  const prefix = `{"event_id":"evt_old0000000${number}","recorded_at":"2026-01-05T11:00:00.000Z","data":`
  const data = `{"n": ${number}.0,"z":-0}`
  const source = `{ "data": ${data} }`
  return { prefix, data, source, body: `${prefix}${data}}`, dataStart: source.indexOf('{"n"') }
})
const APPROVAL = 2
const bodyOf = (event: number): string => OLD_EVENTS[event - 1]?.body ?? ''

/** A database as it was before the contract, with rows in every table. */
function makeOldDatabase(base: string): void {
  const db = new DatabaseSync(path)
  db.exec(`${base}; PRAGMA journal_mode = WAL; PRAGMA user_version = ${OLD_VERSION};`)
  db.exec(`UPDATE settings SET value = 7 WHERE name = 'config_version';
    UPDATE settings SET value = ${T0} WHERE name = 'high_water';
    INSERT INTO nodes (ref, node_id) VALUES (1, 'node-dead');
    INSERT INTO runs VALUES (1, 0, 'default', 'run-old', 2, ${T0}, ${T0}),
      (2, 0, 'default', 'run-waiting', 2, ${T0}, ${T0}), (3, 0, 'default', 'run-over', 2, ${T0}, ${T0});`)
  db.prepare('INSERT INTO settings VALUES (?, ?)').run('secret:fingerprint', BINARY)
  addEndpoint(db, 1, ['public', 'summary', 'personal'])
  addEndpoint(db, 2, ['public', 'summary'])
  db.exec(`INSERT INTO secrets VALUES ('sec_old', 1, 'hmac', 'whsec_old', ${T0}, NULL, 1)`)
  db.prepare('INSERT INTO api_keys VALUES (1, ?, 0, NULL, ?, ?, ?, ?, NULL, NULL, NULL)').run(
    ...['key_old', '["read"]', '["public"]'],
    ...[BINARY, T0],
  )
  FACTS.forEach((_, index) => addEvent(db, index + 1))
  db.exec(`INSERT INTO idempotency_keys VALUES (0, 'default', 'order-1', 3)`)
  addDelivery(db, { position: 1, event: 1, endpoint: 1, due_at: T0 })
  addDelivery(db, { position: 2, event: 1, endpoint: 2, due_at: T0 + 5, suspect: 1, crashes_alone: 1 })
  addDelivery(db, { position: 3, event: APPROVAL, endpoint: 1, status: 1, attempt_count: 1 })
  addDelivery(db, { position: 4, event: APPROVAL, endpoint: 2, due_at: T0 + 6, deadline: T0 + MINUTE })
  addDelivery(db, { position: 5, event: 3, endpoint: 1, status: 2, reason: 'attempts_exhausted', attempt_count: 1 })
  addDelivery(db, { position: 6, event: 3, endpoint: 2, attempt_count: 1, node: 1, started_at: T0 })
  addDelivery(db, { position: 7, event: APPROVAL, endpoint: 2, status: 4, reason: 'deadline_passed' })
  for (const delivery of [3, 5]) {
    const attempt = db.prepare('INSERT INTO attempts VALUES (?, 1, 0, ?, 42, ?, 200, ?, ?, ?, 0, ?)')
    attempt.run(delivery, T0, delivery === 3 ? 0 : 1, '[["x-a","b"]]', '{"c":"d"}', BINARY, '{"dns":1}')
  }
  db.close()
}

function addEndpoint(db: DatabaseSync, ref: number, dataClasses: DataClass[]): void {
  const endpoint = endpointRow({ dataClasses, schemaVersions: {}, description: `old ${ref}` })
  db.prepare(
    `INSERT INTO endpoints (ref, id, mode, tenant_id, status, max_attempts, config, created_at, updated_at)
     VALUES (?, ?, 0, 'default', 0, 3, ?, ?, ?)`,
  ).run(ref, `ep_old${ref}`, configOf(endpoint), T0, T0)
}

function addEvent(db: DatabaseSync, number: number): void {
  const { prefix, source, data, dataStart, body } = OLD_EVENTS[number - 1] as (typeof OLD_EVENTS)[0]
  const [type, run] = FACTS[number - 1] as (typeof FACTS)[0]
  db.prepare(`INSERT INTO events VALUES (?, 0, 'default', ?, ?, 1, ?, ?, ?, ?, NULL, NULL, ?, ?, ?, ?, ?, ?, 2)`).run(
    number,
    `evt_old0000000${number}`,
    type,
    run,
    run === null ? null : 2 - (number % 2),
    ...[T0, T0],
    Buffer.alloc(32, number),
    bytes(prefix),
    bytes(source),
    ...[dataStart, dataStart + data.length],
    Buffer.from(sha256Hex(bytes(body)), 'hex'),
  )
}

function addDelivery(db: DatabaseSync, input: Record<string, number | string> & { position: number }): void {
  const row = {
    ...{ id: `dlv_old${input.position}`, mode: 0, tenant_id: 'default', status: 0, attempt_count: 0, cycle_start: 1 },
    ...{ created_at: T0, updated_at: T0, ...input },
  }
  const places = Object.keys(row).map(() => '?')
  db.prepare(`INSERT INTO deliveries (${Object.keys(row).join(', ')}) VALUES (${places.join(', ')})`).run(
    ...Object.values(row),
  )
}

async function open(): Promise<void> {
  store = openInlineSqliteStore(path)
  await store.joinNode({ nodeId: 'node-a', leaseMs: MINUTE })
}

async function claim(endpointId: string, now = T0 + MINUTE - 1) {
  return (await store.claimDue({ nodeId: 'node-a', now, requests: [{ endpointId, limit: 10 }] })).claims
}

async function grant(endpointId: string, dataClasses: DataClass[]) {
  const change = { kind: 'patch', patch: { dataClasses } } as const
  expect(await store.changeEndpoint({ scope: LIVE, endpointId, change, now: T0 })).not.toBeNull()
}

function replay(eventPosition: number, target: Parameters<Store['replayDeliveries']>[0]['target']) {
  return store.replayDeliveries({ eventPosition, target, newDeliveryId: `dlv_new${eventPosition}`, now: T0 })
}

describe('a database from before the contract', () => {
  beforeEach(open)
  afterEach(() => store.close())

  it('has all its events, byte for byte, with the classes of what nobody knows', async () => {
    const { rows } = await store.listEvents(ALL_EVENTS)
    expect(rows.map(({ body }) => text(body))).toEqual([7, 6, 5, 4, 3, 2, 1].map(bodyOf))
    for (const row of rows) {
      expect(hex(row.bodySha256)).toBe(sha256Hex(row.body))
      expect(row).toMatchObject({ classes: 2047, schemaVersion: 1, recordedAt: T0 })
      const one = { eventPosition: row.position, endpointId: row.deliveries.total === 0 ? null : 'ep_old2' }
      expect(text(await store.readBody(one))).toBe(text(row.body))
    }
    expect(rows[6]).toMatchObject({ runId: 'run-old', sequence: 1, deliveries: { total: 2, pending: 2 } })
  })

  it('has all its deliveries, attempts, endpoints, secrets, keys and settings', async () => {
    const { rows } = await store.listDeliveries(ALL_DELIVERIES)
    const statuses = ['expired', 'pending', 'dead_lettered', 'pending', 'delivered', 'pending', 'pending']
    expect(rows.map(({ status }) => status)).toEqual(statuses)
    const attempts = (await store.listAttempts({ scope: LIVE, deliveryId: 'dlv_old5' }))?.attempts ?? []
    expect(attempts).toMatchObject([{ outcome: 'http_error', requestHeaders: [['x-a', 'b']], durationMs: 42 }])
    expect(hex(attempts[0]?.excerpt as Uint8Array)).toBe(hex(BINARY))
    const { endpoints, configVersion } = await store.loadEndpoints({ endpointIds: ['ep_old1', 'ep_old2'] })
    expect(endpoints).toMatchObject([
      { description: 'old 1', dataClasses: ['public', 'summary', 'personal'], secrets: [{ value: 'whsec_old' }] },
      { description: 'old 2', secrets: [] },
    ])
    expect(configVersion).toBe(7)
    expect((await store.findApiKey({ keyId: 'key_old' })).key).toMatchObject({ hash: BINARY, scopes: ['read'] })
    expect(hex(await store.serverSecret({ name: 'fingerprint', candidate: bytes('x') }))).toBe(hex(BINARY))
    const state = await store.heartbeat({ nodeId: 'node-a', leaseMs: MINUTE, highWater: 0 })
    expect(state).toMatchObject({ highWater: T0 })
    expect((await store.loadEventTypes({ mode: 'live' })).types).toEqual([])
    expect((await store.listTenants({ scope: LIVE, page: ONE_PAGE })).rows).toEqual([])
  })

  it('delivers what was pending, waiting, suspect or in flight, with its old bytes', async () => {
    const [first, ...none] = await claim('ep_old1')
    expect(none).toEqual([])
    expect(first).toMatchObject({ deliveryId: 'dlv_old1', number: 1, runId: 'run-old', eventType: 'acme.note.taken' })
    expect(text(first?.body ?? null)).toBe(bodyOf(1))
    const { results } = await store.recordAttempts({
      ...{ nodeId: 'node-a', now: T0 },
      records: [attemptRecord(first as NonNullable<typeof first>)],
    })
    expect(results).toEqual(['recorded'])
    expect(await claim('ep_old2')).toMatchObject([{ deliveryId: 'dlv_old4' }])
    const rescued = await store.rescueClaims({ nodeId: 'node-a', now: T0, limit: 10 })
    expect(rescued.rescued).toMatchObject([{ position: 6 }])
    const suspects = [await store.claimSuspect({ nodeId: 'node-a', now: T0 + 9 })]
    suspects.push(await store.claimSuspect({ nodeId: 'node-a', now: T0 + MINUTE }))
    expect(suspects.map((found) => found.claim?.deliveryId)).toEqual(['dlv_old6', 'dlv_old2'])
    expect(suspects.map((found) => text(found.claim?.body ?? null))).toEqual([bodyOf(3), bodyOf(1)])
  })

  it('sends none of it once the endpoint may receive less than it could then', async () => {
    await grant('ep_old1', ['public', 'summary'])
    const row = await store.findDelivery({ scope: LIVE, deliveryId: 'dlv_old1' })
    expect(row).toMatchObject({ status: 'cancelled', reason: 'policy_changed' })
    expect(await claim('ep_old1')).toEqual([])
    await grant('ep_old1', ['personal', 'prompt'])
    expect(await claim('ep_old1')).toEqual([])
  })

  it('replays what had ended only to an endpoint that may receive anything', async () => {
    const dead = { kind: 'delivery', deliveryId: 'dlv_old5' } as const
    expect(await replay(3, dead)).toBe('policy_changed')
    await grant('ep_old1', ['operational', 'personal', 'prompt', 'message', 'document'])
    expect(await replay(3, dead)).toBe('policy_changed')
    const all: DataClass[] = ['operational', 'personal', 'prompt', 'message', 'document']
    await grant('ep_old1', [...all, 'tool_input', 'tool_output', 'memory'])
    expect(await replay(3, dead)).toMatchObject([{ status: 'pending' }])
    const claims = await claim('ep_old1')
    const again = claims.find(({ deliveryId }) => deliveryId === 'dlv_old5')
    expect(again).toMatchObject({ number: 2, trigger: 'manual' })
    expect(text(again?.body ?? null)).toBe(bodyOf(3))
  })

  it('gives an old event to a new endpoint only as a body made for it', async () => {
    const dataClasses: DataClass[] = ['operational', 'personal', 'prompt', 'message', 'document', 'memory']
    const endpoint = endpointRow({ dataClasses: [...dataClasses, 'tool_input', 'tool_output'] })
    await store.createEndpoint({ endpoint, maxPerTenant: 10 })
    const what = { kind: 'endpoint', endpointId: endpoint.id } as const
    expect(await replay(1, what)).toBe('policy_changed')
    const body = { bytes: bytes('{"cut":1}'), classes: 1 }
    expect(await replay(1, { ...what, body })).toMatchObject([{ status: 'pending' }])
    expect(text((await claim(endpoint.id))[0]?.body ?? null)).toBe('{"cut":1}')
  })

  it('watches requests for approval that were pending, not those that ended long ago until they are replayed', async () => {
    await store.expireDeliveries({ now: T0 + MINUTE, limit: 10 })
    const found = await store.findUnannounced({ limit: 10 })
    expect(found.map(({ deliveryId }) => deliveryId)).toEqual(['dlv_old4'])
    const all: DataClass[] = ['operational', 'personal', 'prompt', 'message', 'document']
    await grant('ep_old1', [...all, 'tool_input', 'tool_output', 'memory'])
    await replay(APPROVAL, { kind: 'delivery', deliveryId: 'dlv_old3' })
    await store.cancelDelivery({ scope: LIVE, deliveryId: 'dlv_old3', now: T0 })
    const later = await store.findUnannounced({ limit: 10 })
    expect(later.map(({ deliveryId, replays }) => [deliveryId, replays])).toEqual([
      ['dlv_old3', 1],
      ['dlv_old4', 0],
    ])
  })

  it('goes on where it was: sequences, positions, ids and keys', async () => {
    const base = { tenantId: 'default', runId: 'run-old', configVersion: 7 }
    const known = acceptItem({ ...base, eventId: 'evt_old00000001', fingerprint: Buffer.alloc(32, 1) })
    const keyed = acceptItem({ ...base, idempotencyKey: 'order-1', fingerprint: Buffer.alloc(32, 3) })
    const items = [known, keyed, factItem('agent.run.completed', base)]
    const batch = { nodeId: 'node-a', recordedAt: T0 + 9, runEventBudget: 1000, items }
    expect(await store.acceptEvents(batch)).toMatchObject([
      { kind: 'duplicate', sequence: 1, recordedAt: T0, deliveries: 2, warnings: [] },
      { kind: 'duplicate', eventId: 'evt_old00000003', sequence: null },
      { kind: 'accepted', position: 8, sequence: 3 },
    ])
    const over = { ...batch, runEventBudget: 3, items: [acceptItem(base)] }
    expect(await store.acceptEvents(over)).toMatchObject([{ kind: 'refused' }])
  })
})

describe('runs from before the contract', () => {
  beforeEach(open)
  afterEach(() => store.close())

  it('are where their last fact left them', async () => {
    const follow = async (type: string, runId: string) => {
      const item = factItem(type, { runId, configVersion: 7 })
      return store.acceptEvents({ nodeId: 'node-a', recordedAt: T0, runEventBudget: 1000, items: [item] })
    }
    const clean = { kind: 'accepted', warnings: [] }
    expect(await follow('agent.run.failed', 'run-over')).toMatchObject([{ code: 'run_already_ended' }])
    expect(await follow('agent.run.started', 'run-waiting')).toMatchObject([{ warnings: [{ code: 'lifecycle' }] }])
    expect(await follow('agent.run.waiting', 'run-waiting')).toMatchObject([clean])
    expect(await follow('agent.run.resumed', 'run-waiting')).toMatchObject([clean])
    expect(await follow('agent.run.completed', 'run-waiting')).toMatchObject([clean])
    expect(await follow('agent.run.started', 'run-old')).toMatchObject([clean])
  })
})

describe('opening', () => {
  /** All rows of all tables, and the definitions of all tables and indexes. */
  function everything(): unknown {
    const db = new DatabaseSync(path, { readOnly: true })
    const schema = db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all()
    const tables = schema.filter(({ sql }) => String(sql).startsWith('CREATE TABLE')).map(({ name }) => String(name))
    const rows = tables.map((name) => db.prepare(`SELECT * FROM ${name}`).all())
    const version = db.prepare('PRAGMA user_version').get()
    db.close()
    return structuredClone({ schema, rows, version })
  }

  it('a second time changes nothing', async () => {
    await openInlineSqliteStore(path).close()
    const once = everything()
    await openInlineSqliteStore(path).close()
    expect(everything()).toEqual(once)
    expect(once).toMatchObject({ version: { user_version: MIGRATIONS.length } })
  })

  it('makes of an old database the same tables and indexes as of a new one', async () => {
    await openInlineSqliteStore(path).close()
    const migrated = everything() as { schema: unknown }
    path = join(folder, 'new.db')
    await openInlineSqliteStore(path).close()
    expect((everything() as { schema: unknown }).schema).toEqual(migrated.schema)
  })

  it('refuses what a newer version has written, and leaves it as it is', () => {
    const db = new DatabaseSync(path)
    const [known, newer] = [MIGRATIONS.length, MIGRATIONS.length + 1]
    db.exec(`PRAGMA user_version = ${newer}`)
    db.close()
    const before = everything()
    expect(() => openInlineSqliteStore(path)).toThrow(`newer Runbell (schema ${newer}, this one knows ${known})`)
    expect(everything()).toEqual(before)
  })

  it('leaves an old database as it was when it cannot be brought up to date', () => {
    const db = new DatabaseSync(path)
    // Made last by the migration: everything before it has been done by then.
    db.exec('CREATE TABLE tenants (own TEXT)')
    db.close()
    const before = everything()
    expect(() => openInlineSqliteStore(path)).toThrow(/tenants already exists/)
    expect(everything()).toEqual(before)
  })
})
