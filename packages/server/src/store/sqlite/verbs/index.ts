import { acceptEvents } from './accept-events.ts'
import {
  findApiKey,
  listApiKeys,
  listPublicKeys,
  putApiKey,
  replaceServerSecret,
  revokeApiKey,
  serverSecret,
  touchApiKeys,
} from './api-keys.ts'
import { findApprovals, findEndedApprovals, findOverdueApprovals, listApprovals } from './read-approvals.ts'
import { appendAudit, listAudit, pruneAudit, readAudit, sealAudit } from './audit.ts'
import { advanceBulkReplay, deliverBulkReplay } from './advance-bulk-replay.ts'
import {
  cancelBulkReplay,
  claimBulkReplays,
  createBulkReplay,
  findBulkReplay,
  listBulkReplays,
  pruneBulkReplays,
  settleBulkReplays,
} from './bulk-replays.ts'
import { changeEndpoint } from './change-endpoint.ts'
import { claimDue, claimSuspect } from './claim-due.ts'
import type { Verbs } from './context.ts'
import { findDataKeys, listDataKeys, putDataKey, rewrapDataKeys } from './data-keys.ts'
import { cancelDelivery, discardDeadLetter } from './end-delivery.ts'
import { eraseEvent } from './erase-event.ts'
import { cancelHeld, expireDeliveries } from './end-pending.ts'
import { readActivity } from './endpoint-activity.ts'
import { createEndpoint, findEndpoint, listEndpoints, loadEndpoints, loadMatchSet } from './endpoints.ts'
import { loadEventTypes, putEventType } from './event-types.ts'
import { findDueEndpoints } from './find-due-endpoints.ts'
import { findUnannounced } from './find-unannounced.ts'
import { findFailingEndpoints, findNotices } from './notices.ts'
import { heartbeat, joinNode, leaveNode } from './nodes.ts'
import { prune } from './prune.ts'
import { commitPulled, pullDeliveries } from './pulls.ts'
import { findDelivery, listAttempts, listDeliveries } from './read-deliveries.ts'
import { findEvents, listEvents, listRunEvents, readBody } from './read-events.ts'
import { findRuns, listRuns } from './read-runs.ts'
import { recordAttempts } from './record-attempts.ts'
import { dropRelays, noteListeners } from './relays.ts'
import { findClaims, releaseClaims } from './release-claims.ts'
import { replayDeliveries } from './replay-deliveries.ts'
import { rescueClaims } from './rescue-claims.ts'
import { pruneEndpoints, reclaimSpace } from './retire.ts'
import { countPending, listTenants, putTenant } from './tenants.ts'
import { surveyDeliveries } from './walk-deliveries.ts'
import { scanEvents, surveyEvents } from './walk-events.ts'

export const VERBS: Verbs = {
  joinNode,
  heartbeat,
  leaveNode,
  acceptEvents,
  findDueEndpoints,
  claimDue,
  claimSuspect,
  recordAttempts,
  releaseClaims,
  findClaims,
  rescueClaims,
  expireDeliveries,
  cancelHeld,
  findUnannounced,
  countPending,
  findEvents,
  listEvents,
  readBody,
  listRuns,
  findRuns,
  listRunEvents,
  listApprovals,
  findApprovals,
  findEndedApprovals,
  findOverdueApprovals,
  findNotices,
  findFailingEndpoints,
  findDelivery,
  listDeliveries,
  listAttempts,
  replayDeliveries,
  cancelDelivery,
  discardDeadLetter,
  eraseEvent,
  createEndpoint,
  findEndpoint,
  listEndpoints,
  changeEndpoint,
  loadMatchSet,
  loadEndpoints,
  readActivity,
  pullDeliveries,
  commitPulled,
  noteListeners,
  dropRelays,
  loadEventTypes,
  putEventType,
  listTenants,
  putTenant,
  putApiKey,
  findApiKey,
  listApiKeys,
  revokeApiKey,
  touchApiKeys,
  serverSecret,
  replaceServerSecret,
  listPublicKeys,
  putDataKey,
  findDataKeys,
  listDataKeys,
  rewrapDataKeys,
  appendAudit,
  sealAudit,
  listAudit,
  readAudit,
  pruneAudit,
  prune,
  pruneEndpoints,
  reclaimSpace,
  surveyDeliveries,
  surveyEvents,
  scanEvents,
  createBulkReplay,
  findBulkReplay,
  listBulkReplays,
  cancelBulkReplay,
  claimBulkReplays,
  advanceBulkReplay,
  deliverBulkReplay,
  settleBulkReplays,
  pruneBulkReplays,
}

/** Verbs that change nothing and may be slow: they run on a second connection, so that they never hold up a commit. */
export const READ_VERBS: ReadonlySet<string> = new Set<keyof Verbs>([
  'findDueEndpoints',
  'findEvents',
  'listEvents',
  'readBody',
  'listRuns',
  'findRuns',
  'listRunEvents',
  'listApprovals',
  'findApprovals',
  'findEndedApprovals',
  'findOverdueApprovals',
  'findNotices',
  'findFailingEndpoints',
  'findDelivery',
  'listDeliveries',
  'listAttempts',
  'findEndpoint',
  'listEndpoints',
  'loadMatchSet',
  'loadEndpoints',
  'readActivity',
  'pullDeliveries',
  'loadEventTypes',
  'listTenants',
  'findUnannounced',
  'countPending',
  'findApiKey',
  'listApiKeys',
  'listPublicKeys',
  'listDataKeys',
  'listAudit',
  'readAudit',
  'surveyDeliveries',
  'surveyEvents',
  'scanEvents',
  'findBulkReplay',
  'listBulkReplays',
])
