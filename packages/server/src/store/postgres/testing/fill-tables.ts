import { MINUTE, T0 } from '../../conformance/builders.ts'

/** Endpoints of the tenant with nearly everything; their references follow each other. */
export const ENDPOINTS = 50
const EVENTS_OF_A_RUN = 20
/** The tenant that has only this many events, the oldest of all. */
export const FEW = 20

export interface Filling {
  /** Events; each has one delivery. */
  events: number
  /** References: of the endpoints of `default`, which follow each other, and of the one of the tenant `small`. */
  endpoint: number
  small: number
  /** References of nodes: one that lives, and one that is dead. */
  alive: number
  dead: number
}

/**
 * Statements that fill the tables: events at odd positions, each followed by its delivery. The last tenth waits. One in 200 is a
 * dead letter. A second apart, the last at `T0`. Statistics are fresh afterwards.
 */
export function fillStatements({ events, endpoint, small, alive, dead }: Filling): string[] {
  const at = `${T0}::bigint - (${events} - i) * 1000`
  const tenant = `CASE WHEN i <= ${FEW} THEN 'small' ELSE 'default' END`
  const target = `CASE WHEN i <= ${FEW} THEN ${small} ELSE ${endpoint} + i % ${ENDPOINTS} END`
  const waits = `i > ${events} * 0.9`
  const series = `generate_series(1, ${events}) AS i`
  const isDead = `i % 200 = 0`
  return [
    `INSERT INTO runs (ref, mode, tenant_id, run_id, last_sequence, phase, started, lifecycle_warnings, agent_id, task_id, parent_run_id,
       status, created_at, updated_at)
     SELECT i / ${EVENTS_OF_A_RUN} + 1, 0, ${tenant}, 'run-' || (i / ${EVENTS_OF_A_RUN} + 1), ${EVENTS_OF_A_RUN}, 0, TRUE, 0, 'agent',
       'task-' || i / 1000, CASE WHEN i % 100 = 0 THEN 'run-1' END, 'running', ${at}, ${at}
     FROM generate_series(0, ${events}, ${EVENTS_OF_A_RUN}) AS i`,
    `INSERT INTO events (position, mode, tenant_id, event_id, type, schema_version, run, sequence, timestamp, recorded_at, fingerprint,
       prefix, source, data_start, data_end, body_sha256, delivery_count, classes)
     SELECT i * 2 - 1, 0, ${tenant}, 'evt_' || lpad(i::text, 26, '0'), 'agent.run.completed', 1, i / ${EVENTS_OF_A_RUN} + 1,
       i % ${EVENTS_OF_A_RUN} + 1, ${at}, ${at}, sha256(i::text::bytea), '{"data":', '{"data":{}}', 8, 10, sha256(i::text::bytea), 1, 0
     FROM ${series}`,
    `INSERT INTO idempotency_keys SELECT 0, ${tenant}, 'key-' || lpad(i::text, 20, '0'), i * 2 - 1 FROM ${series} WHERE i % 10 = 0`,
    `INSERT INTO deliveries (position, id, mode, tenant_id, event, endpoint, classes, status, reason, attempt_count, cycle_start,
       known_outcomes, last_outcome, watch, created_at, updated_at)
     SELECT i * 2, 'dlv_' || lpad(i::text, 26, '0'), 0, ${tenant}, i * 2 - 1, ${target}, 0,
       CASE WHEN ${waits} THEN 0 WHEN ${isDead} THEN 2 ELSE 1 END, CASE WHEN ${isDead} AND NOT ${waits} THEN 'attempts_exhausted' END,
       1, 1, 1, 1, 0, ${at}, ${at} FROM ${series}`,
    `INSERT INTO dead_letters SELECT i * 2, 0, ${tenant} FROM ${series} WHERE ${isDead} AND NOT ${waits}`,
    `INSERT INTO unannounced SELECT i * 2 FROM ${series} WHERE i % 1000 = 0 AND NOT ${waits}`,
    `INSERT INTO queue (delivery, endpoint, mode, tenant_id, classes, deadline, due_at, node, started_at, suspect)
     SELECT i * 2, ${target}, 0, ${tenant}, 0, CASE WHEN i % 50 = 0 THEN ${T0} + (i % 7 - 1) * ${MINUTE} END,
       CASE WHEN i % 200 < 2 THEN NULL ELSE ${at} END, CASE i % 200 WHEN 0 THEN ${alive} WHEN 1 THEN ${dead} END,
       CASE WHEN i % 200 < 2 THEN ${T0} END, i % 400 = 3
     FROM ${series} WHERE ${waits}`,
    `INSERT INTO attempts (delivery, number, trigger, started_at, duration_ms, outcome, request_headers, response_headers, truncated, phases)
     SELECT i * 2, 1, 0, ${at}, 12, 1, '[]', '{}', FALSE, '{}' FROM ${series} WHERE NOT ${waits}`,
    `SELECT setval('positions', ${events} * 2), setval('runs_ref_seq', ${events})`,
    'ANALYZE',
  ]
}
