import type { Api } from '../api/api.ts'
import type { ApiContext } from '../api/context.ts'
import { createFingerprint } from '../api/publish/fingerprint.ts'
import { sealAll } from '../audit/seal.ts'
import { createService, type Service } from '../delivery/service.ts'
import { announceUndelivered } from '../maintenance/announcer.ts'
import type { DiskGuard } from '../maintenance/disk/disk-guard.ts'
import { createServiceNews } from './service-news.ts'
import { createApprovalExpiry } from './approvals.ts'
import { Retention, type RetentionTimes, type Times } from '../maintenance/retention.ts'

/** How often to look for requests for approval of whose end nobody has been told. */
const ANNOUNCE_MS = 1000
/** How often entries of the audit log get their places in its chain. */
const SEAL_MS = 1000
/** How often to look for what is older than it is kept; oftener where something is kept for less than 20 s. */
const RETENTION_MS = 10_000
/** How often to look again at what something pending needed. */
const AGAIN_MS = 60_000
/** How often to look whether those who read a stream still may. */
const STREAM_MS = 500
/** How often to look how much of the disk is free. */
const DISK_MS = 1000

/** What runs beside deliveries and requests. */
export interface Background {
  start(): void
  /** Resolves when nothing of it runs any more; before the last deliveries end. */
  stop(): Promise<void>
  /** Puts on record what is still to be; after the last request and the last delivery. */
  finish(): Promise<void>
}

export interface BackgroundOptions {
  disk: DiskGuard
  times: RetentionTimes
  /** Without it nothing is announced or removed here: others do that. */
  isWorker: boolean
  /** What else goes on by itself where `isWorker`. */
  alsoOnWorkers: readonly Service[]
}

export function createBackground(context: ApiContext, api: Api, options: BackgroundOptions): Background {
  const { disk, times, isWorker, alsoOnWorkers } = options
  const { clock, log } = context
  const announcer = createAnnouncer(context)
  const expiry = createApprovalExpiry(context)
  const news = createServiceNews(context)
  const sealer = createSealer(context, api)
  const retention = createRemover(context, disk, times)
  const onDiskError = (error: unknown) => log.error({ err: error }, 'disk.trouble')
  const onStreamError = (error: unknown) => log.error({ err: error }, 'stream.trouble')
  const streams = createService({
    clock,
    intervalMs: STREAM_MS,
    runOnce: () => api.tendStreams(),
    onError: onStreamError,
  })
  const watch = createService({ clock, intervalMs: DISK_MS, runOnce: () => disk.runOnce(), onError: onDiskError })
  return {
    start() {
      sealer.start()
      watch.start()
      streams.start()
      if (!isWorker) return
      for (const service of [announcer, expiry, ...news, retention, ...alsoOnWorkers]) service.start()
    },
    async stop() {
      context.approvalWaits.stop()
      await Promise.all(
        [streams, announcer, expiry, ...news, retention, ...alsoOnWorkers].map((service) => service.stop()),
      )
    },
    async finish() {
      await sealer.stop()
      await sealer.runOnce().catch((error: unknown) => context.log.error({ err: error }, 'audit.trouble'))
      // Until here: on a full disk the ballast is what the last outcomes are written into.
      await watch.stop()
    },
  }
}

/** Tells of requests for approval that reached nobody. */
function createAnnouncer(context: ApiContext): Service {
  const { store, acceptor, clock, catalogs, log } = context
  const fingerprint = createFingerprint(context.secrets.fingerprint)
  return createService({
    clock,
    intervalMs: ANNOUNCE_MS,
    runOnce: () =>
      announceUndelivered({
        ...{ store, acceptor, clock, fingerprint },
        catalog: catalogs.of,
        publicUrl: () => context.publicUrl,
      }),
    onError: (error) => log.error({ err: error }, 'announcement.trouble'),
  })
}

/** Removes what is older than it is kept. */
function createRemover({ store, clock, log }: ApiContext, disk: DiskGuard, times: RetentionTimes): Service {
  const shortest = Math.min(...Object.values(times).flatMap((time: Times) => [time.live, time.test]))
  let stopping = false
  const retention = new Retention({
    ...{ store, clock, times, stopping: () => stopping },
    againMs: Math.min(AGAIN_MS, shortest),
  })
  const service = createService({
    clock,
    intervalMs: Math.min(RETENTION_MS, shortest / 2),
    async runOnce() {
      const counts = await retention.runOnce(disk.state === 'ok' ? {} : { keepBytes: 0 })
      if (Object.values(counts).some((count) => count > 0)) log.info(counts, 'retention.removed')
    },
    onError: (error) => log.error({ err: error }, 'retention.trouble'),
  })
  return {
    ...service,
    stop() {
      stopping = true
      return service.stop()
    },
  }
}

/** Chains the audit log (details 27), and notes which keys are used. */
function createSealer({ store, clock, views, log }: ApiContext, api: Api): Service {
  return createService({
    clock,
    intervalMs: SEAL_MS,
    async runOnce() {
      await api.noteKeyUses()
      return await sealAll(store, views)
    },
    onError: (error) => log.error({ err: error }, 'audit.trouble'),
  })
}
