import { BUILT_IN_TYPES } from '../catalog/index.ts'
import type { Envelope } from '../contract/index.ts'
import type { EventHandler } from '../receive/index.ts'
import { memoryReceiver } from './memory-receiver.ts'

/**
 * Checks that an event which comes more than once has its effect once: after one delivery, after another, and after one to a
 * process that has forgotten everything, such as one that was started again.
 * @param handler what `receiver.on` gets
 * @param readEffect what the handler has done so far, as JSON: rows, sums, messages sent
 * @param event @default the sample of agent.run.completed
 * @throws Error that says which delivery had its effect a second time
 */
export async function expectDuplicateSafe(
  handler: EventHandler<never>,
  readEffect: () => unknown,
  event: Envelope = BUILT_IN_TYPES.get('agent.run.completed')?.samples.test as Envelope,
): Promise<void> {
  const effect = async () => JSON.stringify(await readEffect())
  const before = memoryReceiver()
  before.receiver.on('*', handler as EventHandler)
  await deliver(before, event, 1)
  const once = await effect()
  before.clock.advance(60_000)
  await deliver(before, event, 2)
  if ((await effect()) !== once) throw new Error('the second delivery of the event had its effect again')
  const restarted = memoryReceiver()
  restarted.receiver.on('*', handler as EventHandler)
  await deliver(restarted, event, 3)
  if ((await effect()) !== once) {
    throw new Error(
      'a delivery after a restart had its effect again: remember the event in the transaction of the effect, or make the effect one that can be repeated',
    )
  }
}

async function deliver(
  { deliver: send, errors }: ReturnType<typeof memoryReceiver>,
  event: Envelope,
  attempt: number,
): Promise<void> {
  const { status } = await send(event, attempt)
  if (status >= 200 && status < 300) return
  throw new Error(`delivery ${attempt} was answered with ${status}`, { cause: errors[0] })
}
