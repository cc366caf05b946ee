import { randomBytes } from 'node:crypto'
import { MODES, type Mode, type Scope } from '@runbell/sdk/contract'
import { pino } from 'pino'
import { createAcceptor, type Acceptor } from '../../accept/acceptor.ts'
import { TenantGate } from '../../accept/tenant-gate.ts'
import type { SlotSource } from '../../accept/slot-source.ts'
import { createViewLog } from '../../audit/view-log.ts'
import { openCatalogs, type Catalogs } from '../../catalog/catalogs.ts'
import type { TypeDefinition } from '../../catalog/own-type.ts'
import type { Clock } from '../../core/clock.ts'
import { DEFAULT_RETRY_SCHEDULE } from '../../core/schedule.ts'
import { Diagnostics } from '../../diagnostics/diagnostics.ts'
import { createMemoryDiagnostics } from '../../store/memory/diagnostics.ts'
import { MemoryStore } from '../../store/memory/memory-store.ts'
import type { Store } from '../../store/store.ts'
import type { Claim } from '../../store/rows.ts'
import { createApiKey } from '../access/api-key.ts'
import { ApprovalWaits } from '../approvals/approval-waits.ts'
import type { ApiContext, ApiLimits, RelayListener } from '../context.ts'
import { createApi, type Api } from '../api.ts'

export const NOW = Date.parse('2026-11-23T18:02:10.120Z')
export const NODE_ID = 'node_test'

/** Time that stands still until a test moves it; what is due later runs as soon as the event loop is free. */
export class StillClock implements Clock {
  time = NOW
  mono = 1_000_000
  now = () => this.time
  wall = () => this.time
  monotonic = () => this.mono
  after(_ms: number, run: () => void): () => void {
    const handle = setImmediate(run)
    return () => clearImmediate(handle)
  }

  advance(ms: number): void {
    this.time += ms
    this.mono += ms
  }
}

/** Hands out no slots, or all of them, and keeps what was started and woken. */
export class FakeSlots implements SlotSource {
  grant = false
  started: Claim[] = []
  woken: string[] = []
  reserve = () => this.grant
  release = () => undefined
  start = (claims: Claim[]) => void this.started.push(...claims)
  reconcile = () => undefined
  wake = (endpointIds: Iterable<string>) => void this.woken.push(...endpointIds)
}

const LIMITS: ApiLimits = {
  eventBytes: 262_144,
  batchBytes: 5 * 1024 * 1024,
  batchEvents: 1000,
  warnBytes: 20_480,
  requestBytes: 65_536,
  endpointsPerTenant: 500,
}

export interface TestAnswer {
  status: number
  headers: Headers
  text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  json: any
}

export interface Ask {
  key?: string | null
  body?: unknown
  raw?: string | Uint8Array<ArrayBuffer>
  headers?: Record<string, string>
}

/** The whole API on a store in memory and the real acceptor. */
export class TestApi {
  readonly clock: StillClock
  readonly slots = new FakeSlots()
  readonly wakes: { endpointIds?: Iterable<string>; configVersion?: number }[] = []
  readonly logLines: string[] = []
  unready: string | null = null
  /** Who listens for relay endpoints. */
  readonly listeners = new Map<string, RelayListener>()
  /** Whether an outcome that a listener tells is of an attempt that is handed out. */
  settled: ApiContext['relays']['settle'] = () => false
  /** What a test sends to an endpoint comes to. */
  sendOnce: ApiContext['sendOnce'] = async () => ({
    startedAt: this.clock.now(),
    outcome: {
      ...{ kind: 'response', status: 204, headers: {}, excerpt: new Uint8Array(), truncated: false, durationMs: 3.4 },
      phases: { dns: null, connect: null, tls: null, wait: null },
    },
    requestHeaders: [['webhook-id', 'evt_test_1']],
  })
  readonly store: Store
  readonly acceptor: Acceptor
  readonly waits: ApprovalWaits
  readonly context: ApiContext
  readonly api: Api
  /** Test mode, all scopes, no tenant. */
  key = ''

  constructor(options: TestApiOptions, store: Store, clock: StillClock, catalogs: Catalogs) {
    this.store = store
    this.clock = clock
    const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)), fraction: () => 0.5 }
    const { slots } = this
    const onError = (error: unknown) => void this.logLines.push(String(error))
    this.waits = new ApprovalWaits({ store, clock, onError })
    const gate = options.gate === undefined ? {} : { gate: new TenantGate({ store, clock, defaults: options.gate }) }
    this.acceptor = createAcceptor({ store, clock, random, nodeId: NODE_ID, slots, ...gate })
    this.context = {
      store,
      acceptor: this.acceptor,
      approvalWaits: this.waits,
      diagnostics: new Diagnostics({
        store: createMemoryDiagnostics(),
        clock,
        rates: options.diagnosticRates ?? { perTenant: 100_000, perNode: 100_000 },
        spansAsEvents: options.spansAsEvents ?? false,
      }),
      catalogs,
      views: createViewLog(store),
      clock,
      random,
      log: pino({ level: 'debug' }, { write: (line: string) => void this.logLines.push(line) }),
      limits: { ...LIMITS, ...options.limits },
      defaults: { retrySchedule: DEFAULT_RETRY_SCHEDULE, timeoutMs: 15_000, maxInFlight: 10 },
      secrets: { fingerprint: random.bytes(32), cursor: random.bytes(32) },
      urls: {
        check: (url) =>
          URL.canParse(url) && url.startsWith('https://')
            ? { ok: true, url: new URL(url).href }
            : { ok: false, reason: 'only https URLs may be endpoints', fix: 'Use https.' },
      },
      vault: {
        sealSecret: (_owner, _row, clear) => Promise.resolve(clear),
        sealHeaders: (_owner, clear) => Promise.resolve({ ...clear }),
      },
      async rotateMasterKey(entries) {
        await store.appendAudit({ entries })
        return { masterKeyId: '0123456789abcdef', rewrapped: 0, retired: [] }
      },
      publicUrl: 'https://runbell.test',
      wake: (change) => void this.wakes.push(change),
      stateOf: () => ({ circuit: 'closed', inFlight: 1, limit: 2, isSlow: false }),
      sendOnce: (input) => this.sendOnce(input),
      signAll: async (_endpoint, deliveries) => deliveries.map(({ eventId }) => [['webhook-id', eventId]]),
      relays: {
        attach: (endpointId, listener) => {
          this.listeners.set(endpointId, listener)
          return () => this.listeners.delete(endpointId)
        },
        settle: (...told) => this.settled(...told),
      },
      storage: () => 'ok',
      unready: () => this.unready,
      version: '0.0.0-test',
    }
    this.api = createApi(this.context)
  }

  /** Puts a key into the store. */
  async addKey(
    grant: { mode?: Mode; scopes?: Scope[]; tenantId?: string | null; expiresAt?: number } = {},
  ): Promise<string> {
    const { mode = 'test', scopes = ['admin'], tenantId = null, expiresAt = null } = grant
    const made = createApiKey({ mode, scopes, tenantId, expiresAt, random: this.context.random, now: this.clock.now() })
    await this.store.putApiKey({ key: made.row })
    return made.key
  }

  async ask(method: string, path: string, { key = this.key, body, raw, headers = {} }: Ask = {}): Promise<TestAnswer> {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const request = new Request(`http://runbell.test${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: content }),
    })
    const response = await this.api.fetch(request)
    // Such an answer has no end.
    const isStream = response.headers.get('content-type') === 'text/event-stream'
    if (isStream) await response.body?.cancel()
    const text = isStream ? '' : await response.text()
    const isJson = text !== '' && /[/+]json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }

  get = (path: string, ask: Ask = {}) => this.ask('GET', path, ask)
  post = (path: string, ask: Ask = {}) => this.ask('POST', path, ask)

  /** A new endpoint's id. */
  async addEndpoint(fields: Record<string, unknown> = {}, key = this.key): Promise<string> {
    const answer = await this.post('/v1/endpoints', { key, body: { url: 'https://receiver.test/hook', ...fields } })
    return answer.json.id as string
  }
}

export interface TestApiOptions {
  limits?: Partial<ApiLimits>
  /** What tenants may publish; without it nothing is limited. */
  gate?: { eventsPerSecond: number; maxPending: number }
  store?: Store
  /** Diagnostics a second. */
  diagnosticRates?: { perTenant: number; perNode: number }
  spansAsEvents?: boolean
}

export async function createTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const clock = new StillClock()
  const store = options.store ?? new MemoryStore({ clock: () => clock.monotonic() })
  for (const mode of MODES) await putOwnType(store, mode, 'acme.invoice.drafted')
  const test = new TestApi(options, store, clock, await openCatalogs(store, clock))
  test.key = await test.addKey()
  await test.store.joinNode({ nodeId: NODE_ID, leaseMs: 60_000 })
  return test
}

/** Registers a type whose data is public as a whole, without asking the API. */
export async function putOwnType(store: Store, mode: Mode, type: string): Promise<void> {
  const definition: TypeDefinition = {
    fact: 'A test did something.',
    runScoped: false,
    enforcement: 'enforce',
    lifecycle: 'warn',
    versions: [
      {
        version: 1,
        schema: { type: 'object', 'x-data-class': 'public' },
        down: null,
        examples: [{ total: 1 }],
        publishedAt: NOW,
        changedAt: NOW,
        deprecation: null,
      },
    ],
  }
  const facts = { mode, type, definition: JSON.stringify(definition), expected: 0, maxTypes: 1000, now: NOW }
  await store.putEventType(facts)
}

let count = 0

/** An event of our own type that can be published in test mode. */
export function sampleEvent(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event_id: `evt_test_sample${String(++count).padStart(6, '0')}`,
    type: 'acme.invoice.drafted',
    agent: { id: 'billing' },
    data: { total: 1 },
    ...fields,
  }
}
