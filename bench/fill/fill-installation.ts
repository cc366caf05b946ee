import { fileURLToPath } from 'node:url'
import { requireFreeSpace } from '../machine/free-space.ts'
import { startProcess } from '../processes.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Bench } from '../scenario.ts'
import type { Installation } from '../server/installation.ts'
import type { Server } from '../server/server.ts'
import { bytesPerDelivery, type Multiplied } from './multiply-rows.ts'

const PROCESS = fileURLToPath(new URL('fill-process.ts', import.meta.url))

/** What an installation's database is filled with. */
export interface Filling {
  count: number
  /** `delivered`: the past. `later`: due in an hour or more. `due`: due since. */
  state: 'delivered' | 'later' | 'due'
  /** Only the first endpoint, which is paused. @default every endpoint has its share */
  heldByFirst?: boolean
}

const TEXT = 'x'.repeat(900)
const HOUR_MS = 3_600_000

/** Lets a server make one delivery for each endpoint, ends it, and multiplies what it left. */
export async function fillInstallation(
  installation: Installation,
  receiver: Receiver,
  bench: Bench,
  { count, state, heldByFirst = false }: Filling,
): Promise<void> {
  const every = receiver.origins.map((_, port) => port)
  if (state !== 'delivered') await receiver.behave(every, 'fail')
  await installation.change((server) =>
    makeSeeds(server, installation, state === 'delivered' ? 'delivered' : 'pending', heldByFirst),
  )
  await receiver.behave(every, 'answer')
  requireFreeSpace(installation.dataDir, count * bytesPerDelivery(installation.dataDir), `${count} deliveries`)
  const now = Date.now()
  const due = state === 'later' ? `${now + HOUR_MS} + n % ${10 * HOUR_MS}` : `${now} - ${HOUR_MS} + n % ${HOUR_MS}`
  await multiply({ dataDir: installation.dataDir, count, ...(state === 'delivered' ? {} : { dueAt: due }) }, (done) =>
    bench.progress(`${done} of ${count} deliveries are in the database`),
  )
  await receiver.take()
}

async function multiply(options: Omit<Multiplied, 'onProgress'>, onProgress: (done: number) => void): Promise<void> {
  const filler = startProcess(PROCESS, [JSON.stringify(options)])
  for (let done = 0; done < options.count;) onProgress((done = await filler.hear<number>()))
  await filler.ended
}

async function makeSeeds(
  server: Server,
  installation: Installation,
  status: 'delivered' | 'pending',
  heldByFirst: boolean,
): Promise<void> {
  const types = heldByFirst ? installation.types.slice(0, 1) : installation.types
  if (heldByFirst) await server.post(`/v1/endpoints/${installation.endpointIds[0]}/pause`, {})
  for (const type of types) await server.post('/v1/events', { type, agent: { id: 'bench' }, data: { text: TEXT } })
  const until = performance.now() + 10_000
  const isMade = heldByFirst
    ? () => Promise.resolve(true)
    : async () => {
        const { data } = (await server.get(`/v1/deliveries?status=${status}&limit=100`)) as {
          data: { attempt_count: number }[]
        }
        return data.filter((delivery) => delivery.attempt_count > 0).length >= Math.min(100, types.length)
      }
  while (!(await isMade())) {
    if (performance.now() > until) throw new Error(`the deliveries to be multiplied did not become ${status}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
