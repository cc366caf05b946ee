import type { Scenario } from '../scenario.ts'
import { ACCEPTING } from './accepting.ts'
import { BATCH_INGEST } from './batch-ingest.ts'
import { BODY_SIZES } from './body-sizes.ts'
import { COLD_START } from './cold-start.ts'
import { DIAGNOSTIC_FLOOD } from './diagnostic-flood.ts'
import { ENDPOINT_SCENARIOS } from './endpoints.ts'
import { EVENT_CONTRACT } from './event-contract.ts'
import { BACKLOG, HISTORY } from './filled-database.ts'
import { HANGING_ENDPOINTS } from './hanging-endpoints.ts'
import { RECOVERY } from './recovery.ts'

/** In the order they run. */
export const SCENARIOS: readonly Scenario[] = [
  EVENT_CONTRACT,
  ACCEPTING,
  ...ENDPOINT_SCENARIOS,
  BATCH_INGEST,
  BODY_SIZES,
  DIAGNOSTIC_FLOOD,
  HANGING_ENDPOINTS,
  RECOVERY,
  COLD_START,
  BACKLOG,
  HISTORY,
]
