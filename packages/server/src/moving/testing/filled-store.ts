import type { AuditEntry } from '../../core/audit/audit-entry.ts'
import { MODES } from '@runbell/sdk/contract'
import type { AcceptItem } from '../../store/accept.ts'
import {
  acceptItem,
  ANY_DELIVERY,
  ANY_EVENT,
  apiKeyRow,
  attemptRecord,
  bytes,
  endpointRow,
  factItem,
  failedRecord,
  hex,
  LIVE,
  MINUTE,
  ONE_PAGE,
  preparedBody,
  secretRow,
  T0,
  target,
} from '../../store/conformance/builders.ts'
import type { Claim, EndpointRow, ReadScope } from '../../store/rows.ts'
import type { Store } from '../../store/store.ts'
import type { EndedFilter } from '../../store/surveys.ts'

const NODE = 'node-moved'
/** Not text at all, NUL first. */
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, index) => index)

/** Brings a store into every state a row can have: something is in every table. */
export async function fillStore(store: Store): Promise<void> {
  await store.joinNode({ nodeId: NODE, leaseMs: MINUTE })
  await fillSettings(store)
  const endpoint = await addEndpoints(store)
  await addOld(store, endpoint)
  await fillRuns(store, endpoint.id)
  await fillDeliveries(store, endpoint.id)
  await fillLanes(store)
  await removeSome(store)
  await fillBulkReplays(store, endpoint)
  await fillAudit(store)
  await store.heartbeat({ nodeId: NODE, leaseMs: MINUTE, highWater: T0 + 123_456 })
  // Somebody who left, and what two crashes leave.
  await store.joinNode({ nodeId: 'node-left', leaseMs: MINUTE })
  await store.leaveNode({ nodeId: 'node-left', highWater: 0 })
}

async function fillSettings(store: Store): Promise<void> {
  await store.serverSecret({ name: 'cursor', candidate: EVERY_BYTE })
  for (const owner of ['live/acme', 'live/ä', 'server', 'test/*']) {
    await store.putDataKey({ key: { owner, wrapped: EVERY_BYTE, masterKeyId: 'master-1', createdAt: T0 } })
  }
  const [first, second] = [apiKeyRow(), apiKeyRow({ mode: 'test', tenantId: 'mine', expiresAt: T0 + 5 })]
  await store.putApiKey({ key: first })
  await store.putApiKey({ key: second })
  await store.putApiKey({ key: apiKeyRow() })
  await store.revokeApiKey({ scope: LIVE, keyId: first.id, now: T0 })
  await store.touchApiKeys({ uses: [{ keyId: second.id, at: T0 + 1 }] })
  const limits = { eventsPerSecond: 0.1, maxPending: 7 }
  await store.putTenant({
    mode: 'live',
    tenantId: 'mine',
    maxDataClasses: ['personal'],
    limits,
    decidesApprovals: true,
    now: T0,
  })
  const definition = '{"v":1.0,"s":"\\u0000é\u2028😀"}'
  await store.putEventType({ mode: 'live', type: 'acme.a.done', definition, expected: 0, maxTypes: 9, now: T0 })
}

async function addEndpoints(store: Store): Promise<EndpointRow> {
  const add = async (input: Partial<EndpointRow> = {}) => {
    const endpoint = endpointRow(input)
    await store.createEndpoint({ endpoint, maxPerTenant: 500 })
    return endpoint
  }
  const change = (endpointId: string, what: Parameters<Store['changeEndpoint']>[0]['change']) =>
    store.changeEndpoint({ scope: LIVE, endpointId, change: what, now: T0 + 1 })
  const endpoint = await add({ description: 'odd \u0000 "text" \\ {}', dataClasses: ['personal'] })
  await change(endpoint.id, { kind: 'add_secret', secret: secretRow(), retireAt: T0 + MINUTE, max: 5 })
  await add({
    mode: 'test',
    tenantId: 'mine',
    secrets: [secretRow({ kind: 'ed25519', publicKey: 'whpk_1' })],
    signing: 'both',
  })
  await add({ eventTypes: ['runbell.*'] })
  await change((await add()).id, { kind: 'delete' })
  await change((await add({ tenantId: '*' })).id, { kind: 'status', status: 'disabled', reason: 'manual' })
  await change((await add({ tenantId: 'other' })).id, { kind: 'status', status: 'paused', reason: null })
  return endpoint
}

async function accept(store: Store, items: AcceptItem[], at = T0): Promise<number[]> {
  const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const current = items.map((item) => ({ ...item, configVersion }))
  const results = await store.acceptEvents({ nodeId: NODE, recordedAt: at, runEventBudget: 1000, items: current })
  return results.map((result) => {
    if (result.kind !== 'accepted') throw new Error(`not accepted: ${result.kind}`)
    return result.position
  })
}

async function fillRuns(store: Store, endpointId: string): Promise<void> {
  const child = { kind: 'approval', id: 'apr-1' } as const
  await accept(store, [
    factItem('agent.run.started', { runId: 'run-life' }),
    factItem('agent.approval.requested', { runId: 'run-life', child, targets: [target(endpointId)] }),
    // A warning: it was started before.
    factItem('agent.run.started', { runId: 'run-life' }),
    factItem('agent.run.completed', { runId: 'run-life' }),
  ])
}

/** A dead letter that holds its run, what waits behind it, and a run that goes on. */
async function fillLanes(store: Store): Promise<void> {
  const ordered = endpointRow({ ordering: 'run', orderingOnDeadLetter: 'hold' })
  await store.createEndpoint({ endpoint: ordered, maxPerTenant: 500 })
  await accept(
    store,
    ['run-held', 'run-held', 'run-on', 'run-on'].map((runId) => acceptItem({ runId, targets: [target(ordered.id)] })),
  )
  const requests = [{ endpointId: ordered.id, limit: 1 }]
  const { claims } = await store.claimDue({ nodeId: NODE, now: T0, requests })
  const verdict = { kind: 'dead_letter', reason: 'attempts_exhausted' } as const
  const record = attemptRecord(claims[0] as Claim, { verdict, outcome: 'timeout', statusCode: null })
  await store.recordAttempts({ nodeId: NODE, now: T0 + 50, records: [record] })
}

/** Deliveries in every state, one after the other: what waits is claimed oldest first. */
async function fillDeliveries(store: Store, endpointId: string): Promise<void> {
  const claim = async (now: number): Promise<Claim> => {
    const { claims } = await store.claimDue({ nodeId: NODE, now, requests: [{ endpointId, limit: 1 }] })
    return claims[0] as Claim
  }
  const record = (records: Parameters<Store['recordAttempts']>[0]['records'], now = T0 + 50) =>
    store.recordAttempts({ nodeId: NODE, now, records })
  const dead = { kind: 'dead_letter', reason: 'attempts_exhausted' } as const
  const item = acceptItem({
    targets: [target(endpointId, false, 0)],
    idempotencyKey: 'key\u0001"\u{1f600}',
    classes: 8,
  })
  const cut = { ...item, bodies: [preparedBody(item, EVERY_BYTE, 0)] }
  const data = '{"a":"\\u0000\\ud800","b":1E400,"c":-0,"e":"\u2028😀\u0001","a":2}'
  await accept(store, [cut, acceptItem({ data, runId: null })])
  // The request for approval first: it ends without reaching anybody.
  await record([
    attemptRecord(await claim(T0), { verdict: dead, outcome: 'timeout', statusCode: null, durationMs: 1.5 }),
  ])
  await record([attemptRecord(await claim(T0), { excerpt: EVERY_BYTE, truncated: true })])
  for (const kind of ['dead', 'discarded', 'retry', 'cancelled', 'in flight', 'ended in flight'] as const) {
    const one = target(endpointId)
    await accept(store, [acceptItem({ targets: [one] })])
    const asked = { scope: LIVE, deliveryId: one.deliveryId, now: T0 + 60 }
    if (kind === 'cancelled') await store.cancelDelivery(asked)
    if (kind === 'cancelled') continue
    const held = await claim(T0)
    if (kind === 'dead' || kind === 'discarded')
      await record([attemptRecord(held, { verdict: dead, outcome: 'tls_failed' })])
    if (kind === 'discarded') await store.discardDeadLetter({ ...asked, note: 'odd \u0000 "note"' })
    if (kind === 'retry') await record([failedRecord(held, T0 + 5 * MINUTE)])
    if (kind === 'ended in flight') await store.cancelDelivery(asked)
  }
  const granted = target(endpointId, true)
  await accept(store, [acceptItem({ targets: [granted, target(endpointId)], deadline: T0 + 9 * MINUTE })])
}

/** One event that retention takes, and one that it has to leave. */
async function addOld(store: Store, like: EndpointRow): Promise<void> {
  const slow = endpointRow({ ...like, id: `${like.id}x`, secrets: [secretRow()] })
  await store.createEndpoint({ endpoint: slow, maxPerTenant: 500 })
  await accept(store, [acceptItem(), acceptItem({ targets: [target(slow.id)] })], T0 - 9 * MINUTE)
}

async function removeSome(store: Store): Promise<void> {
  const [erased] = await accept(store, [acceptItem()])
  await store.eraseEvent({ eventPosition: erased as number, now: T0 })
  const input = { mode: 'live', before: T0 - MINUTE, now: T0, limit: 1, again: null } as const
  for (const what of ['payloads', 'attempts', 'idempotency', 'events'] as const) {
    while ((await store.prune({ ...input, what })).next !== null);
  }
}

/** One that has reopened the first of two dead letters, and is not done. */
async function fillBulkReplays(store: Store, like: EndpointRow): Promise<void> {
  const id = `${like.id}y`
  await store.createEndpoint({ endpoint: endpointRow({ ...like, id, secrets: [secretRow()] }), maxPerTenant: 500 })
  await accept(store, [acceptItem({ targets: [target(id)] }), acceptItem({ targets: [target(id)] })])
  const { claims } = await store.claimDue({ nodeId: NODE, now: T0, requests: [{ endpointId: id, limit: 2 }] })
  const verdict = { kind: 'dead_letter', reason: 'attempts_exhausted' } as const
  const records = claims.map((claim) => attemptRecord(claim, { verdict, outcome: 'timeout' }))
  await store.recordAttempts({ nodeId: NODE, now: T0, records })
  const filter: EndedFilter = {
    ...{ statuses: ['dead_lettered'], endpointId: id, runId: null, types: [], errorCode: null },
    ...{ since: null, until: null, changedUntil: T0 },
  }
  const asked = {
    filter,
    toEndpointId: null,
    ratePerSecond: 1,
    upTo: 1e6,
    matched: 2,
    matchedBy: { endpoints: [], types: [] },
  }
  const replay = { id: 'rpl_moved', mode: 'live', tenantId: null, asked, createdAt: T0 } as const
  await store.createBulkReplay({ replay, maxRunning: 9 })
  const [held] = await store.claimBulkReplays({ nodeId: NODE, limit: 9 })
  if (held === undefined) throw new Error('there is no bulk replay')
  const step = { replay: held.row.position, fence: held.fence, now: T0, look: 100, limit: 1 }
  if ((await store.advanceBulkReplay(step))?.replayed !== 1) throw new Error('nothing was reopened')
}

async function fillAudit(store: Store): Promise<void> {
  const entry = (about: string, at = T0): AuditEntry => ({
    ...{ mode: 'live', tenantId: 'default', at, actor: 'key_a', action: 'endpoint.updated', target: about },
    ...{ detail: { text: '\u0000é😀' }, requestId: null },
  })
  await store.appendAudit({ entries: ['a', 'b', 'c', 'd'].map((about, index) => entry(about, T0 + index)) })
  while ((await store.sealAudit({ limit: 3 })) > 0);
  await store.pruneAudit({ mode: 'live', before: T0 + 2, limit: 10, now: T0 })
  await store.appendAudit({ entries: [entry('e'), { ...entry('f'), mode: 'test', tenantId: null }] })
}

/** All that a store can be asked, in both modes, with bytes as hex. */
export async function readStore(store: Store): Promise<unknown> {
  const all = await Promise.all(MODES.map((mode) => readMode(store, { mode, tenantId: null })))
  const everything = {
    all,
    dataKeys: await store.listDataKeys({ after: null, limit: 1000 }),
    secret: await store.serverSecret({ name: 'cursor', candidate: bytes('other') }),
    publicKeys: await store.listPublicKeys({ endpointId: null, now: T0, limit: 1000 }),
    claims: (await store.findClaims({ nodeId: NODE, limit: 1000 })).toSorted((a, b) => a.position - b.position),
    unannounced: await store.findUnannounced({ limit: 1000 }),
    due: await store.findDueEndpoints({ after: null, limit: 1000 }),
    waiting: await store.countPending({ mode: 'live', tenantId: 'default', limit: 1000 }),
  }
  return JSON.parse(
    JSON.stringify(everything, (_key, value: unknown) => (value instanceof Uint8Array ? hex(value) : value)),
  )
}

async function readMode(store: Store, scope: ReadScope): Promise<unknown> {
  const page = ONE_PAGE
  const events = (await store.listEvents({ scope, filter: ANY_EVENT, page })).rows
  const deliveries = (await store.listDeliveries({ scope, filter: ANY_DELIVERY, page })).rows
  const filter = { ...ANY_DELIVERY, deadLetters: true }
  const anyAudit = { actor: null, actions: [], target: null, since: null, until: null }
  const endpoints = (await store.listEndpoints({ scope, page })).rows
  return {
    ...{ events, deliveries, endpoints },
    deadLetters: await store.listDeliveries({ scope, filter, page }),
    attempts: await Promise.all(deliveries.map(({ id }) => store.listAttempts({ scope, deliveryId: id }))),
    bodies: await Promise.all(
      deliveries.map(({ eventPosition, endpointId }) => store.readBody({ eventPosition, endpointId })),
    ),
    matchSets: await Promise.all(
      ['default', 'mine'].map((tenantId) => store.loadMatchSet({ tenantId, mode: scope.mode })),
    ),
    types: await store.loadEventTypes({ mode: scope.mode }),
    tenants: await store.listTenants({ scope, page }),
    bulkReplays: await store.listBulkReplays({ scope, page }),
    keys: await store.listApiKeys({ scope, page }),
    audit: await store.listAudit({ scope, filter: anyAudit, page }),
    chain: await store.readAudit({ scope, afterSeq: 0, limit: 1000 }),
  }
}
