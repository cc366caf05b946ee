import { describe } from 'vitest'
import { acceptanceTests } from './acceptance.ts'
import { claimTests } from './claims.ts'
import { idempotencyTests } from './idempotency.ts'
import { recordTests } from './records.ts'
import { releaseTests } from './releases.ts'
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
  })
}
