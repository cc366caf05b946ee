import { measurePublishing } from '../publishing.ts'
import type { Scenario } from '../scenario.ts'
import { measureGroups } from '../store-groups.ts'

const GROUP = 100
const PUBLISHERS = 64

/** What group commit is worth, with nobody to deliver to. */
export const ACCEPTING: Scenario = {
  name: 'accepting',
  summary: 'events that go nowhere: the store alone, and 64 publishers over HTTP',
  takes: 75,
  embeddedOnly: 'it measures groups in the store of the embedded database',
  async open({ folder, seconds }) {
    return {
      async round() {
        const single = await measureGroups(folder, 1, seconds)
        const grouped = await measureGroups(folder, GROUP, seconds)
        const http = await measurePublishing(folder, PUBLISHERS, seconds)
        const ratio = grouped.eventsPerSecond / single.eventsPerSecond
        return [
          { name: 'store, one commit per event', unit: '/s', value: single.eventsPerSecond },
          { name: `store, groups of ${GROUP}`, unit: '/s', value: grouped.eventsPerSecond },
          { name: 'ratio of the two', unit: '', value: ratio, must: 10, better: 'higher' },
          { name: 'over HTTP: accepted', unit: '/s', value: http.perSecond },
          { name: 'over HTTP: mean group', unit: '', value: http.meanGroup, must: 16, better: 'higher' },
          { name: 'over HTTP: p50 to 202', unit: 'ms', value: http.p50 },
          { name: 'over HTTP: p99 to 202', unit: 'ms', value: http.p99 },
          { name: 'over HTTP: CPU per event', unit: 'µs', value: http.cpuPerEvent },
        ]
      },
      async close() {},
    }
  },
}
