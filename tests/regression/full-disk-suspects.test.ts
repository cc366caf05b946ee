import { expect, test } from 'vitest'
import { Dispatcher } from '../../packages/server/src/delivery/dispatcher.ts'
import { EndpointCache } from '../../packages/server/src/delivery/endpoint-cache.ts'
import { DispatcherWorld } from '../../packages/server/test/dispatcher-world.ts'
import { fakeRandom, settled } from '../../packages/server/test/fake-clock.ts'
import { openPlain } from '../../packages/server/test/plain-vault.ts'

test('no attempt starts on a full disk, neither of what a crash left behind (docs/disk.md: "no attempt starts either")', async () => {
  const at = await new DispatcherWorld().join()
  const id = await at.endpoint()
  await at.suspect(id)
  const nothing = () => {}
  const ran: number[] = []
  const dispatcher = new Dispatcher({
    ...{ store: at.store, clock: at.clock, random: fakeRandom(), nodeId: 'node-a' },
    cache: new EndpointCache(at.store, openPlain),
    lease: {
      covers: () => true,
      ...{
        sinceRenewal: () => 0,
        failing: () => false,
        start: nothing,
        stop: async () => {},
        runOnce: async () => ({ alive: true }),
      },
    },
    mayStart: () => false,
    async run(claim) {
      ran.push(claim.position)
    },
    onError: nothing,
  })
  await dispatcher.poll()
  await at.clock.advance(10_000)
  await settled()
  expect(ran).toEqual([])
})
