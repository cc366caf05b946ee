import type { MovedTable } from '../../moved-tables.ts'

/** Where the rows of a table are here, and the columns that are called otherwise or made of something else. */
export interface SourceTable {
  from: string
  where?: string
  expressions?: Readonly<Record<string, string>>
}

const delivery = { delivery: 'position' }

export const SOURCE_TABLES: Readonly<Record<MovedTable, SourceTable>> = {
  settings: {
    from: 'settings',
    where: `name IN ('config_version', 'high_water')`,
    // Service time never goes back, not by a part of a millisecond.
    expressions: { value: 'CAST(value AS INTEGER) + (value > CAST(value AS INTEGER))' },
  },
  server_secrets: { from: 'settings', where: `name LIKE 'secret:%'`, expressions: { name: 'substr(name, 8)' } },
  nodes: { from: 'nodes', expressions: { has_left: 'left' } },
  endpoints: { from: 'endpoints' },
  secrets: { from: 'secrets' },
  data_keys: { from: 'data_keys' },
  api_keys: { from: 'api_keys' },
  event_types: { from: 'event_types' },
  tenants: { from: 'tenants' },
  runs: { from: 'runs' },
  run_children: { from: 'run_children' },
  approvals: { from: 'approvals' },
  events: { from: 'events' },
  idempotency_keys: { from: 'idempotency_keys' },
  bodies: { from: 'bodies' },
  deliveries: { from: 'deliveries' },
  queue: {
    from: 'deliveries',
    where: '(due_at IS NOT NULL OR node IS NOT NULL)',
    expressions: { ...delivery, due_at: 'CASE WHEN node IS NULL THEN due_at END' },
  },
  held_lanes: { from: 'deliveries', where: 'lane IS NOT NULL AND status = 2 AND node IS NULL', expressions: delivery },
  dead_letters: { from: 'deliveries', where: 'status = 2 AND discarded_at IS NULL', expressions: delivery },
  unannounced: { from: 'deliveries', where: 'watch = 1 AND status >= 2', expressions: delivery },
  attempts: { from: 'attempts' },
  audit: { from: 'audit' },
  audit_anchors: { from: 'audit_anchors' },
  notices: { from: 'notices' },
  retention_marks: { from: 'retention_marks' },
  retention_left: { from: 'retention_left' },
  bulk_replays: { from: 'bulk_replays' },
  bulk_replay_items: { from: 'bulk_replay_items' },
}
