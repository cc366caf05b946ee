import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import type { Clock } from '../core/clock.ts'
import { createService, type Service } from '../delivery/service.ts'
import { Diagnostics } from '../diagnostics/diagnostics.ts'
import { pruneDiagnostics } from '../maintenance/diagnostic-retention.ts'
import { openDiagnosticStore } from './open-store.ts'

interface Ground {
  clock: Clock
  log: Logger
}

/** How often to look for what is older than it is kept; oftener where that is less than 20 s. */
const RETENTION_MS = 10_000

/** Nothing is opened before the first use. */
export function openDiagnostics(settings: Settings, { clock, log }: Ground): Diagnostics {
  const { diagnosticsPerSecond: perTenant, diagnosticsPerSecondOfNode: perNode, spansAsEvents } = settings
  const store = openDiagnosticStore(settings, log)
  return new Diagnostics({ store, clock, rates: { perTenant, perNode }, spansAsEvents })
}

/** Removes diagnostics that are older than they are kept, and those that are too many. */
export function createDiagnosticRemover({ store }: Diagnostics, settings: Settings, { clock, log }: Ground): Service {
  const { retentionDiagnostics: times, maxDiagnostics: keep } = settings
  let stopping = false
  const service = createService({
    clock,
    intervalMs: Math.min(RETENTION_MS, times.live / 2, times.test / 2),
    async runOnce() {
      const counts = await pruneDiagnostics({ store, clock, times, keep, stopping: () => stopping })
      if (counts.old + counts.beyond > 0) log.info(counts, 'diagnostics.removed')
    },
    onError: (error) => log.error({ err: error }, 'diagnostics.trouble'),
  })
  return {
    ...service,
    stop() {
      stopping = true
      return service.stop()
    },
  }
}
