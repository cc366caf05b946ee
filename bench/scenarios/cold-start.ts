import { openGround } from '../delivery-ground.ts'
import { fillInstallation } from '../fill/fill-installation.ts'
import { monotonicMs } from '../machine/monotonic.ts'
import type { Scenario } from '../scenario.ts'

/** More than that and draining it is what takes the time. */
const MOST = 100_000
const LEAST_PER_SECOND = 300

/** A start with a backlog that is due. */
export const COLD_START: Scenario = {
  name: 'cold-start',
  summary: 'a start with 100,000 deliveries due, of 100 endpoints',
  takes: 180,
  long: true,
  embeddedOnly: 'it loads rows straight into the file of the embedded database',
  async open(bench) {
    const ground = await openGround(bench, { endpoints: 100, types: 100 })
    const count = Math.min(MOST, bench.sizes.backlog)
    const { installation, receiver } = ground
    await fillInstallation(installation, receiver, bench, { count, state: 'due' })
    return {
      close: ground.close,
      async round() {
        await receiver.take()
        const before = await receiver.count()
        const started = monotonicMs()
        return await installation.use(async (server) => {
          const startedServer = monotonicMs() - server.readyMs
          const deadline = started + 30_000 + (count * 1000) / LEAST_PER_SECOND
          let now = await receiver.count()
          while (now.received - before.received < count) {
            if (monotonicMs() > deadline) throw new Error(`only ${now.received - before.received} of ${count} arrived`)
            await new Promise((resolve) => setTimeout(resolve, 50))
            now = await receiver.count()
          }
          const { cpu } = await server.look()
          const drainMs = now.lastAt - now.firstAt
          return [
            { name: 'start to ready', unit: 'ms', value: server.readyMs },
            { name: 'start to the first delivery', unit: 'ms', value: now.firstAt - startedServer },
            { name: 'start to the last delivery', unit: 'ms', value: now.lastAt - startedServer },
            { name: 'deliveries while it drains', unit: '/s', value: (count * 1000) / drainMs },
            { name: 'server CPU per delivery', unit: 'µs', value: (cpu.user + cpu.system) / count },
          ]
        })
      },
    }
  },
}
