import type { ApiContext } from '../api/context.ts'
import { createFingerprint } from '../api/publish/fingerprint.ts'
import { createService, type Service } from '../delivery/service.ts'
import { ServiceNews } from '../maintenance/service-news.ts'

/** How often to look for what is yet to be said. */
const TELL_MS = 1000
/** How often to look for endpoints that will be disabled: it takes them days. */
const WARN_MS = 60_000

/** Says what the service has to say of endpoints and dead letters. */
export function createServiceNews(context: ApiContext): Service[] {
  const { store, acceptor, clock, catalogs, log } = context
  const news = new ServiceNews({
    ...{ store, acceptor, clock, fingerprint: createFingerprint(context.secrets.fingerprint) },
    catalog: catalogs.of,
    publicUrl: () => context.publicUrl,
  })
  const onError = (error: unknown) => log.error({ err: error }, 'news.trouble')
  return [
    createService({ clock, intervalMs: TELL_MS, runOnce: () => news.tell(), onError }),
    createService({ clock, intervalMs: WARN_MS, runOnce: () => news.warn(), onError }),
  ]
}
