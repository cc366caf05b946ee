import { describe } from 'vitest'
import { acceptanceTests } from './acceptance.ts'
import { activityTests } from './activity.ts'
import { announcementTests } from './announcements.ts'
import { approvalTests } from './approvals.ts'
import { auditTests } from './audit.ts'
import { bodyTests } from './bodies.ts'
import { budgetTests } from './budgets.ts'
import { bulkReplayTests } from './bulk-replays.ts'
import { claimTests } from './claims.ts'
import { dataKeyTests } from './data-keys.ts'
import { durabilityTests } from './durability.ts'
import { endingTests } from './endings.ts'
import { endpointTests } from './endpoints.ts'
import { erasureTests } from './erasure.ts'
import { eventTypeTests } from './event-types.ts'
import { idempotencyTests } from './idempotency.ts'
import { isolationTests } from './isolation.ts'
import { keyTests } from './keys.ts'
import { lifecycleTests } from './lifecycles.ts'
import { noticeTests } from './notices.ts'
import { nodeTests } from './nodes.ts'
import { orderingTests } from './ordering.ts'
import { policyReplayTests } from './policy-replays.ts'
import { policyTests } from './policy.ts'
import { pullTests } from './pulls.ts'
import { readingTests } from './reading.ts'
import { recordTests } from './records.ts'
import { relayTests } from './relays.ts'
import { releaseTests } from './releases.ts'
import { replayTests } from './replays.ts'
import { rescueTests } from './rescues.ts'
import { retentionTests } from './retention.ts'
import { runTests } from './runs.ts'
import { secretTests } from './secrets.ts'
import { tenantTests } from './tenants.ts'
import { surveyTests } from './surveys.ts'
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
    bodyTests(suite)
    lifecycleTests(suite)
    runTests(suite)
    approvalTests(suite)
    surveyTests(suite)
    bulkReplayTests(suite)
    budgetTests(suite)
    idempotencyTests(suite)
    claimTests(suite)
    recordTests(suite)
    releaseTests(suite)
    pullTests(suite)
    relayTests(suite)
    nodeTests(suite)
    rescueTests(suite)
    endingTests(suite)
    orderingTests(suite)
    erasureTests(suite)
    retentionTests(suite)
    replayTests(suite)
    policyTests(suite)
    policyReplayTests(suite)
    announcementTests(suite)
    noticeTests(suite)
    readingTests(suite)
    activityTests(suite)
    isolationTests(suite)
    endpointTests(suite)
    secretTests(suite)
    dataKeyTests(suite)
    eventTypeTests(suite)
    tenantTests(suite)
    keyTests(suite)
    auditTests(suite)
    durabilityTests(suite)
  })
}
