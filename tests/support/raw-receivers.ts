import { startRawReceiver, type RawReceiver } from '../../packages/server/test/hostile-receivers/raw-receiver.ts'
import type { Behaviour } from '../../packages/server/test/hostile-receivers/behaviours.ts'
import type { SharedServer } from './shared-server.ts'

/** A receiver that does this with every request, closed after the last test of the file. */
export async function rawReceiver(server: SharedServer, onRequest?: Behaviour): Promise<RawReceiver> {
  const receiver = await startRawReceiver(onRequest === undefined ? {} : { onRequest })
  server.afterwards(() => receiver.close())
  return receiver
}
