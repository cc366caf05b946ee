import type { Scenario } from '../scenario.ts'
import { measureContract, measureContractSizes } from '../contract-cost.ts'

const SIZES_KIB = [4, 16, 64, 256]

/** What masking, validating and cutting add to an event, with nothing around it. */
export const EVENT_CONTRACT: Scenario = {
  name: 'event-contract',
  summary: 'a full catalog check of a 1 KB event, cut into four distinct bodies',
  takes: 50,
  async open() {
    return {
      async round() {
        const { scan, check, fourBodies } = measureContract()
        const sizes = measureContractSizes(SIZES_KIB)
        const perKib = (kib: number) => sizes.find((size) => size.kib === kib)?.perKib ?? Number.NaN
        return [
          { name: 'scan alone', unit: 'µs', value: scan },
          { name: 'checked: masked, validated, planned', unit: 'µs', value: check },
          { name: 'with four distinct bodies', unit: 'µs', value: fourBodies, must: 60, goal: 25, better: 'lower' },
          ...sizes.map(({ kib, micros }) => ({ name: `the same of ${kib} KiB`, unit: 'µs', value: micros })),
          { name: 'a KiB of 256 ÷ one of 64', unit: '', value: perKib(256) / perKib(64), must: 1.5, better: 'lower' },
        ]
      },
      async close() {},
    }
  },
}
