import { load } from '../load/load.ts'
import type { Receiver } from '../receiver/receiver.ts'

/** B5: what generator and receiver can do without a server between them, one event a request. */
export interface Direct {
  perSecond: number
  /** CPU microseconds per event. */
  generator: number
  receiver: number
}

export async function measureDirect(receiver: Receiver, connections: number, seconds: number): Promise<Direct> {
  const url = receiver.origins[0] as string
  const before = await receiver.count()
  const {
    events,
    seconds: took,
    cpuMicros,
  } = await load({
    ...{ url, connections, seconds },
    events: { types: ['bench.limit.happened'] },
  })
  const { cpu, received } = await receiver.count()
  await receiver.take()
  if (received - before.received !== events) throw new Error('the receiver lost requests')
  const spent = cpu.user + cpu.system - before.cpu.user - before.cpu.system
  return { perSecond: events / took, generator: cpuMicros / events, receiver: spent / events }
}
