import type { ApiContext } from '../api/context.ts'
import { bodyNow } from '../api/read/body-now.ts'
import { passesNow } from '../api/read/passes-now.ts'
import { newId } from '../core/new-id.ts'
import { createService, type Service } from '../delivery/service.ts'
import { BulkReplayer, type BulkReplayerOptions } from '../maintenance/bulk-replayer.ts'

/** How often bulk replays get a step: as finely their rates are kept. */
const STEP_MS = 200

/** Works on bulk replays in the background. */
export function createBulkReplays(
  context: ApiContext,
  { nodeId, keepMs }: Pick<BulkReplayerOptions, 'nodeId' | 'keepMs'>,
): Service {
  const { store, clock, random, log } = context
  let stopping = false
  const replayer = new BulkReplayer({
    ...{ store, clock, nodeId, keepMs },
    passes: (event, endpoint) => passesNow(context, event, endpoint),
    render: (event, endpoint) => bodyNow(context, event, endpoint),
    newDeliveryId: (mode) => newId('delivery', mode, clock.now(), random),
    wake: (endpointIds) => context.wake({ endpointIds }),
    stopping: () => stopping,
  })
  const service = createService({
    clock,
    intervalMs: STEP_MS,
    async runOnce() {
      const counts = await replayer.runOnce()
      if (counts.replayed > 0) log.info(counts, 'replays.advanced')
    },
    onError: (error) => log.error({ err: error }, 'replays.trouble'),
  })
  return {
    ...service,
    stop() {
      stopping = true
      return service.stop()
    },
  }
}
