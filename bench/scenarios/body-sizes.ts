import { openGround, Publisher, PUBLISHERS } from '../delivery-ground.ts'
import { saturatedFigures } from '../delivered-figures.ts'
import type { Figure, Scenario } from '../scenario.ts'

const SIZES_KIB = [1, 20]

export const BODY_SIZES: Scenario = {
  name: 'body-sizes',
  summary: 'bodies of 1 KB and of 20 KB, one a request, to 100 endpoints',
  takes: 75,
  async open(bench) {
    const ground = await openGround(bench, { endpoints: 100, types: 100 })
    return {
      close: ground.close,
      round: (limits) =>
        ground.installation.use(async (server) => {
          const publisher = new Publisher(ground, server)
          await publisher.warmUp(1)
          const figures: Figure[] = []
          const rates: number[] = []
          for (const kib of SIZES_KIB) {
            const { seconds } = bench
            const delivered = await publisher.measure({ connections: PUBLISHERS, seconds, bytes: kib * 1024 })
            // The limits are of 1 KB, so a ratio to them says how much dearer the larger ones are.
            const kind = { batch: 1, deliveries: 1, hasTargets: false }
            figures.push(...saturatedFigures(`${kib} KB`, delivered, limits, kind))
            rates.push(delivered.perSecond)
          }
          const [small = Number.NaN, large = Number.NaN] = rates
          return [...figures, { name: 'rate with 20 KB ÷ with 1 KB', unit: '', value: large / small }]
        }),
    }
  },
}
