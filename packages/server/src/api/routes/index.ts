import type { Route } from '../route.ts'
import { API_KEY_ROUTES } from './api-keys.ts'
import { APPROVAL_ROUTES } from './approvals.ts'
import { AUDIT_LOG_ROUTES } from './audit-log.ts'
import { DELIVERY_ROUTES } from './deliveries.ts'
import { DELIVERY_ACTION_ROUTES } from './delivery-actions.ts'
import { DIAGNOSTIC_ROUTES } from './diagnostics.ts'
import { ENDPOINT_SECRET_ROUTES } from './endpoint-secrets.ts'
import { ENDPOINT_STATS_ROUTES } from './endpoint-stats.ts'
import { ENDPOINT_STATUS_ROUTES } from './endpoint-status.ts'
import { ENDPOINT_ROUTES } from './endpoints.ts'
import { EVENT_TYPE_VERSION_ROUTES } from './event-type-versions.ts'
import { EVENT_TYPE_ROUTES } from './event-types.ts'
import { EVENT_ROUTES } from './events.ts'
import { EXPORT_ROUTES } from './exports.ts'
import { MASTER_KEY_ROUTES } from './master-key.ts'
import { OTLP_ROUTES } from './otlp.ts'
import { PAGE_ROUTES } from './pages.ts'
import { PUBLIC_KEY_ROUTES } from './public-keys.ts'
import { PUBLISHING_ROUTES } from './publishing.ts'
import { PULL_ROUTES } from './pull.ts'
import { REPLAY_ROUTES } from './replays.ts'
import { RELAY_ROUTES } from './relay.ts'
import { RUN_ROUTES } from './runs.ts'
import { SAMPLE_SENDING_ROUTES } from './sample-sending.ts'
import { SCHEMA_ROUTES } from './schemas.ts'
import { FILTER_CHECK_ROUTES } from './filter-check.ts'
import { HEALTH_ROUTES } from './service.ts'
import { TENANT_ROUTES } from './tenants.ts'

/** Every route but `/openapi.json`. */
export const API_ROUTES: readonly Route[] = [
  ...PUBLISHING_ROUTES,
  ...EVENT_ROUTES,
  ...RUN_ROUTES,
  ...APPROVAL_ROUTES,
  ...DIAGNOSTIC_ROUTES,
  ...OTLP_ROUTES,
  ...DELIVERY_ROUTES,
  ...DELIVERY_ACTION_ROUTES,
  ...EXPORT_ROUTES,
  ...REPLAY_ROUTES,
  ...ENDPOINT_ROUTES,
  ...FILTER_CHECK_ROUTES,
  ...ENDPOINT_STATS_ROUTES,
  ...ENDPOINT_STATUS_ROUTES,
  ...PULL_ROUTES,
  ...RELAY_ROUTES,
  ...SAMPLE_SENDING_ROUTES,
  ...ENDPOINT_SECRET_ROUTES,
  ...EVENT_TYPE_ROUTES,
  ...EVENT_TYPE_VERSION_ROUTES,
  ...SCHEMA_ROUTES,
  ...API_KEY_ROUTES,
  ...TENANT_ROUTES,
  ...AUDIT_LOG_ROUTES,
  ...MASTER_KEY_ROUTES,
  ...PUBLIC_KEY_ROUTES,
  ...HEALTH_ROUTES,
  ...PAGE_ROUTES,
]
