import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { mkdir } from 'node:fs/promises'
import { pino, type Logger } from 'pino'
import { createAcceptor, type Acceptor } from './accept/acceptor.ts'
import { importAdminKeys } from './admin-keys.ts'
import { createApi, type Api } from './api/api.ts'
import type { ApiContext } from './api/context.ts'
import { API_ROUTES } from './api/routes/index.ts'
import { HEALTH_ROUTES } from './api/routes/service.ts'
import { TenantGate } from './accept/tenant-gate.ts'
import { createViewLog } from './audit/view-log.ts'
import { openCatalogs } from './catalog/catalogs.ts'
import type { Settings } from './config/settings.ts'
import type { Clock, RandomSource } from './core/clock.ts'
import { createEgressPolicy, type EgressPolicy } from './delivery/egress-policy.ts'
import { createEngine, type Engine } from './delivery/engine.ts'
import { DEFAULT_LEASE_MS } from './delivery/node-lease.ts'
import type { AttemptLine } from './delivery/run-delivery.ts'
import { Relay } from './delivery/relay.ts'
import type { Service } from './delivery/service.ts'
import { createSigner } from './delivery/signer.ts'
import { createTransport } from './delivery/transport.ts'
import { createUrlPolicy } from './delivery/url-policy.ts'
import type { DiskGuard } from './maintenance/disk/disk-guard.ts'
import type { RetentionTimes } from './maintenance/retention.ts'
import type { MasterKeys } from './secrets/master-keys.ts'
import type { Vault } from './secrets/vault.ts'
import type { Hint } from './store/postgres/hint-channel.ts'
import type { Store } from './store/store.ts'
import { createSystemClock, createSystemRandom } from './system.ts'
import { VERSION } from './version.ts'
import { createApprovalWaits } from './wiring/approvals.ts'
import { createBackground, type Background } from './wiring/background.ts'
import { createBulkReplays } from './wiring/bulk-replays.ts'
import { egressProxy } from './wiring/egress-proxy.ts'
import { openStorage } from './wiring/open-store.ts'
import { createRelayPort, createRelayTender } from './wiring/relays.ts'
import { createDiagnosticRemover, openDiagnostics } from './wiring/diagnostics.ts'
import { rotateForApi, unlockVault } from './wiring/vault.ts'
import { openMasterKeys } from './wiring/master-keys.ts'
import { createHttpServer, hostInUrl, listen } from './wiring/http-server.ts'

export interface RunbellOptions {
  settings: Settings
  /** `dev` may send to loopback over http. */
  command: 'dev' | 'start'
  /** Where log lines go. @default standard error */
  log?: Logger
  /** How long what a node holds stays its own after it was last heard of, ms; longer than any attempt. @default 90000 */
  leaseMs?: number
  /** Sees every attempt, after it is on record. */
  onAttempt?(line: AttemptLine): void
  /** The server cannot go on and has begun to stop. */
  onFatal?(error: Error): void
}

export interface Runbell {
  /** Where it answers, such as `http://127.0.0.1:4600`. */
  url: string
  port: number
  store: Store
  clock: Clock
  random: RandomSource
  acceptor: Acceptor
  /** Other listeners of this process that no delivery may reach, besides its own. */
  closeToDeliveries(listeners: { host: string; port: number }[]): void
  /** Answers what is under way, finishes what is in flight, and ends within the longest deadline and two seconds. */
  stop(): Promise<void>
}

/** Requests of any kind that do not publish. */
const REQUEST_BYTES = 64 * 1024
const WARN_BYTES = 20 * 1024
/** After the longest deadline, this is left for the last outcomes to be put on record. */
const STOP_MARGIN_MS = 1500
/** How long requests under way have to be answered once deliveries have ended, and how often it is looked whether they are. */
const [ANSWER_MS, LOOK_MS] = [3000, 50]
/** For listeners to tell what became of what they were given last. */
const RELAY_STOP_MS = 1000

/** Puts a server together and starts it: the one place where everything is wired. */
export async function createRunbell(options: RunbellOptions): Promise<Runbell> {
  const { settings, command } = options
  const log = options.log ?? pino({ level: settings.logLevel, base: null }, pino.destination(2))
  const onFatal = options.onFatal ?? ((error) => log.fatal({ err: error }, 'cannot go on'))
  let wake = () => {}
  let hear = (_hint: Hint) => {}
  if (settings.databaseUrl === null || command === 'dev') await mkdir(settings.dataDir, { recursive: true })
  const masterKeys = await openMasterKeys(settings, command)
  const { store, disk } = await openStorage(settings, {
    ...{ log, onFatal, onDisk: () => wake(), onHint: (hint) => hear(hint) },
  })
  try {
    return await startOn(
      { store, disk, log, masterKeys, onWake: (run) => (wake = run), onHint: (run) => (hear = run) },
      options,
    )
  } catch (error) {
    await store.close()
    throw error
  }
}

interface Ground {
  store: Store
  disk: DiskGuard
  log: Logger
  masterKeys: MasterKeys
  /** What to call when there is space again. */
  onWake(run: () => void): void
  /** What to call with what other nodes tell. */
  onHint(run: (hint: Hint) => void): void
}

async function startOn(ground: Ground, options: RunbellOptions): Promise<Runbell> {
  const { store, disk, log, masterKeys, onWake } = ground
  const { settings, command } = options
  const random = createSystemRandom()
  const nodeId = randomUUID()
  const { highWater } = await store.joinNode({ nodeId, leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS })
  const clock = createSystemClock(highWater, (suspicious) => warnOfClock(log, suspicious))
  const vault = await unlockVault({ store, masterKeys, random, clock }, settings, log)
  await importAdminKeys(store, settings.adminKeys, clock.now())
  const egress = createEgressPolicy({ allow: settings.egressAllow, devLoopback: command === 'dev' })
  const relay = new Relay(clock)
  const engine = engineOn({ store, disk, log, vault, clock, random, nodeId, egress, relay }, options)
  const relays = { store, clock, log, relay, engine, isWorker: settings.roles.includes('worker') }
  onWake(() => engine.wake({ endpointIds: [] }))
  const catalogs = await openCatalogs(store, clock)
  const learnTypes = (version: number) =>
    void catalogs.know(version).catch((error: unknown) => log.error({ err: error }, 'catalog.trouble'))
  const acceptor = createAcceptor({
    ...{ store, clock, random, nodeId, slots: engine.slots },
    gate: new TenantGate({ store, clock, defaults: settings }),
    runEventBudget: settings.runEventBudget,
    isFull: () => disk.state !== 'ok',
    onStale: learnTypes,
  })
  let stopping = false
  const diagnostics = openDiagnostics(settings, { clock, log })
  const context: ApiContext = {
    ...{ store, acceptor, diagnostics, catalogs, clock, random, log, views: createViewLog(store) },
    limits: { ...settings, warnBytes: WARN_BYTES, requestBytes: REQUEST_BYTES },
    defaults: { retrySchedule: settings.retrySchedule, timeoutMs: settings.attemptTimeoutMs, maxInFlight: 64 },
    secrets: {
      fingerprint: await vault.serverSecret('fingerprint', random.bytes(32)),
      cursor: await vault.serverSecret('cursor', random.bytes(32)),
    },
    vault,
    approvalWaits: createApprovalWaits({ store, clock, log }),
    rotateMasterKey: (audit) => rotateForApi({ store, masterKeys, random, clock }, audit),
    urls: createUrlPolicy(egress),
    publicUrl: settings.publicUrl,
    wake: (change) => engine.wake(change),
    stateOf: (endpointId) => engine.stateOf(endpointId),
    sendOnce: (input) => engine.sendOnce(input),
    ...{ relays: createRelayPort(relays), signAll: engine.signAll },
    storage: () => disk.state,
    unready: () => (stopping ? 'the server is stopping' : engine.trouble()),
    version: VERSION,
  }
  const api = createApi(context, settings.roles.includes('api') ? API_ROUTES : HEALTH_ROUTES)
  ground.onHint(hearer(engine, api, learnTypes))
  const background = backgroundOf(context, api, disk, settings, { nodeId, tender: createRelayTender(relays) })
  const { server, own, port, url } = await openServer(api, settings)
  egress.setOwnListeners([own])
  context.publicUrl ||= url
  await engine.start()
  background.start()
  return {
    url,
    ...{ port, store, clock, random, acceptor },
    closeToDeliveries: (listeners) => egress.setOwnListeners([own, ...listeners]),
    async stop() {
      if (stopping) return
      stopping = true
      await background.stop()
      await stopStreams(relay, api)
      await stopAll(server, engine, log)
      await background.finish()
      await Promise.all([store.close(), diagnostics.store.close()])
    },
  }
}

async function openServer(api: Api, settings: Settings) {
  const server = createHttpServer(api)
  const port = await listen(server, settings)
  const url = `http://${hostInUrl(settings.host)}:${port}`
  return { server, own: { host: settings.host, port }, port, url }
}

function backgroundOf(
  context: ApiContext,
  api: Api,
  disk: DiskGuard,
  settings: Settings,
  { nodeId, tender }: { nodeId: string; tender: Service },
): Background {
  const isWorker = settings.roles.includes('worker')
  const times = retentionTimes(settings)
  const alsoOnWorkers = [
    createDiagnosticRemover(context.diagnostics, settings, context),
    createBulkReplays(context, { nodeId, keepMs: times.events }),
    tender,
  ]
  return createBackground(context, api, { disk, times, isWorker, alsoOnWorkers })
}

/** What other nodes have changed takes effect here at once. */
function hearer(engine: Engine, api: Pick<Api, 'forgetKeys'>, learnTypes: (version: number) => void) {
  return ({ configVersion, wake }: Hint): void => {
    if (wake === true) engine.wake({ endpointIds: [] })
    if (configVersion === undefined) return
    engine.wake({ configVersion })
    learnTypes(configVersion)
    api.forgetKeys()
  }
}

interface EngineGround extends Pick<Ground, 'store' | 'disk' | 'log'> {
  clock: Clock
  random: RandomSource
  nodeId: string
  egress: EgressPolicy
  vault: Vault
  relay: Relay
}

function engineOn(
  { disk, log, egress, vault, ...ground }: EngineGround,
  { settings, onAttempt, leaseMs }: RunbellOptions,
): Engine {
  return createEngine({
    ...ground,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    transport: createTransport({ egress, monotonic: ground.clock.monotonic, proxy: egressProxy(settings) }),
    sign: createSigner(),
    open: (endpoints) => vault.open(endpoints),
    userAgent: `Runbell/${VERSION}`,
    delivers: settings.roles.includes('worker'),
    maxInFlight: settings.maxInFlight,
    mayStart: () => disk.state !== 'full',
    onAttempt(line) {
      log.info(line, 'delivery.attempted')
      onAttempt?.(line)
    },
    onError: (error) => log.error({ err: error }, 'delivery.trouble'),
  })
}

function retentionTimes(settings: Settings): RetentionTimes {
  return {
    events: settings.retentionEvents,
    bodies: settings.retentionBodies,
    attempts: settings.retentionAttempts,
    idempotency: settings.retentionIdempotency,
    audit: settings.retentionAudit,
  }
}

async function stopStreams(relay: Relay, api: Api): Promise<void> {
  await relay.stop(RELAY_STOP_MS)
  api.endStreams()
}

async function stopAll(server: Server, engine: Engine, log: Logger): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  // What cannot be put on record now is found, as `unknown`, by the next start.
  const drained = engine.stop().catch((error: unknown) => log.error({ err: error }, 'stopped without the store'))
  const late = AbortSignal.timeout(60_000 + STOP_MARGIN_MS)
  await Promise.race([drained, new Promise((resolve) => late.addEventListener('abort', resolve))])
  await answerTheRest(server, closed)
  server.closeAllConnections()
  await closed
}

/** Requests under way have a while to be answered; connections go as they become idle. */
async function answerTheRest(server: Server, closed: Promise<void>): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, ANSWER_MS).unref())
  const looking = setInterval(() => server.closeIdleConnections(), LOOK_MS)
  await Promise.race([closed, late])
  clearInterval(looking)
}

function warnOfClock(log: Logger, suspicious: boolean): void {
  if (suspicious) log.warn('the wall clock is more than five minutes off; service time runs on without it')
  else log.info('the wall clock is plausible again; service time follows it')
}
