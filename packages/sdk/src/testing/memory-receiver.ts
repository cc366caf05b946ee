import type { Envelope } from '../contract/index.ts'
import { createReceiver, type ReceiveAnswer, type Receiver, type ReceiverOptions } from '../receive/index.ts'
import { FakeClock } from './fake-clock.ts'
import { signEvent, TEST_SECRET } from './fixtures.ts'

export interface MemoryReceiver {
  receiver: Receiver
  clock: FakeClock
  /** What handlers and stores threw. */
  errors: unknown[]
  /** Signs an event, at the time of the clock, and lets the receiver have it. */
  deliver(event: Envelope, attempt?: number): Promise<ReceiveAnswer>
}

/** A receiver without a network, on a clock that stands still. Add your handlers to `receiver`. */
export function memoryReceiver(options: Partial<ReceiverOptions> = {}): MemoryReceiver {
  const clock = new FakeClock()
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const receiver = createReceiver({ secrets: TEST_SECRET, now: clock.now, onError, ...options })
  const deliver = async (event: Envelope, attempt = 1) => {
    const { headers, body } = await signEvent(event, { now: clock.now(), attempt })
    return receiver.receive({ headers, body })
  }
  return { receiver, clock, errors, deliver }
}
