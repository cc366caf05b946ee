import { describeStore } from '../conformance/index.ts'
import { MemoryStore } from './memory-store.ts'

describeStore(
  'memory',
  async () => {
    let time = 0
    return {
      store: new MemoryStore({ clock: () => time }),
      advanceLease: (ms) => {
        time += ms
      },
      cleanup: async () => {},
    }
  },
  { leases: true },
)
