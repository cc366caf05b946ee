import { describe } from 'vitest'
import { acceptanceTests } from './acceptance.ts'
import { claimTests } from './claims.ts'
import { durabilityTests } from './durability.ts'
import { endingTests } from './endings.ts'
import { endpointTests } from './endpoints.ts'
import { idempotencyTests } from './idempotency.ts'
import { isolationTests } from './isolation.ts'
import { keyTests } from './keys.ts'
import { nodeTests } from './nodes.ts'
import { readingTests } from './reading.ts'
import { recordTests } from './records.ts'
import { releaseTests } from './releases.ts'
import { replayTests } from './replays.ts'
import { rescueTests } from './rescues.ts'
import { secretTests } from './secrets.ts'
import { StoreSuite, type StoreCapabilities, type StoreHarness } from './suite.ts'

export type { StoreCapabilities, StoreHarness } from './suite.ts'

/** Registers the tests that every store has to pass; `makeStore` gives an empty one for each test. */
export function describeStore(
  name: string,
  makeStore: () => Promise<StoreHarness>,
  capabilities: StoreCapabilities,
): void {
  describe(`store: ${name}`, () => {
    const suite = new StoreSuite(makeStore, capabilities)
    acceptanceTests(suite)
    idempotencyTests(suite)
    claimTests(suite)
    recordTests(suite)
    releaseTests(suite)
    nodeTests(suite)
    rescueTests(suite)
    endingTests(suite)
    replayTests(suite)
    readingTests(suite)
    isolationTests(suite)
    endpointTests(suite)
    secretTests(suite)
    keyTests(suite)
    durabilityTests(suite)
  })
}
