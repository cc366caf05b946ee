import type { Api } from '../api/api.ts'
import type { ApiContext } from '../api/context.ts'
import { createFingerprint } from '../api/publish/fingerprint.ts'
import { sealAll } from '../audit/seal.ts'
import { createService, type Service } from '../delivery/service.ts'
import { announceUndelivered } from '../maintenance/announcer.ts'

/** How often to look for requests for approval of whose end nobody has been told. */
const ANNOUNCE_MS = 1000
/** How often entries of the audit log get their places in its chain. */
const SEAL_MS = 1000

/** What runs beside deliveries and requests. */
export interface Background {
  start(): void
  /** Resolves when nothing of it runs any more; before the last deliveries end. */
  stop(): Promise<void>
  /** Puts on record what is still to be; after the last request and the last delivery. */
  finish(): Promise<void>
}

export function createBackground(context: ApiContext, api: Api): Background {
  const announcer = createAnnouncer(context)
  const sealer = createSealer(context, api)
  return {
    start() {
      announcer.start()
      sealer.start()
    },
    stop: () => announcer.stop(),
    async finish() {
      await sealer.stop()
      await sealer.runOnce().catch((error: unknown) => context.log.error({ err: error }, 'audit.trouble'))
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
