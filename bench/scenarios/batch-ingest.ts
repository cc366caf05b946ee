import { openGround, Publisher, PUBLISHERS, BATCH_PUBLISHERS } from '../delivery-ground.ts'
import { saturatedFigures } from '../delivered-figures.ts'
import type { Figure, Scenario } from '../scenario.ts'

/** Events in a request. */
const SIZES = [1, 10, 100, 1000]

/** How much a larger batch saves, all of it delivered to 100 endpoints. */
export const BATCH_INGEST: Scenario = {
  name: 'batch-ingest',
  summary: '1, 10, 100 and 1,000 events a request, to 100 endpoints',
  takes: 100,
  async open(bench) {
    const ground = await openGround(bench, { endpoints: 100, types: 100 })
    return {
      close: ground.close,
      round: (limits) =>
        ground.installation.use(async (server) => {
          const publisher = new Publisher(ground, server)
          await publisher.warmUp(1)
          const figures: Figure[] = []
          for (const batch of SIZES) {
            const connections = batch === 1 ? PUBLISHERS : BATCH_PUBLISHERS
            const { seconds } = bench
            const delivered = await publisher.measure({ connections, seconds, batch })
            const kind = { batch, deliveries: 1, hasTargets: false }
            figures.push(...saturatedFigures(`${batch} a request`, delivered, limits, kind))
          }
          return figures
        }),
    }
  },
}
