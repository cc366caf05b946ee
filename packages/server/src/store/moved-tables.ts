/** `json`: text that a stranger wrote, kept as a JSON string. */
export type ColumnKind = 'integer' | 'float' | 'text' | 'json' | 'bytes' | 'boolean'
export type MovedValue = string | number | boolean | null | Uint8Array
/** The values of a row, in the order of its table's columns. */
export type MovedRow = readonly MovedValue[]

export interface MovedColumns {
  columns: Readonly<Record<string, ColumnKind>>
  /** What a row is known by; rows come in its order, text byte by byte. */
  key: readonly string[]
}

const [integer, text, bytes, boolean] = ['integer', 'text', 'bytes', 'boolean'] as const
const marks = { what: text, mode: integer }

/**
 * Everything that goes along when a database moves to another kind of store, in this order: every row of every table. What of it
 * is in tables of its own only there is a table here.
 */
export const MOVED = {
  settings: { key: ['name'], columns: { name: text, value: integer } },
  server_secrets: { key: ['name'], columns: { name: text, value: bytes } },
  nodes: { key: ['ref'], columns: { ref: integer, node_id: text, has_left: boolean, held_at_death: integer } },
  endpoints: {
    key: ['ref'],
    columns: {
      ...{ ref: integer, id: text, mode: integer, tenant_id: text, status: integer, disabled_reason: text },
      ...{ disabled_at: integer, failing_since: integer, max_attempts: integer, config: text, created_at: integer },
      ...{ updated_at: integer, deleted_at: integer, settled: boolean, narrowed: boolean, kind: integer },
      ...{ listened_at: integer, ordering: integer },
    },
  },
  secrets: {
    key: ['id'],
    columns: {
      ...{ id: text, endpoint: integer, kind: text, value: text, public_key: text, created_at: integer },
      ...{ expires_at: integer, ordinal: integer },
    },
  },
  data_keys: { key: ['owner'], columns: { owner: text, wrapped: bytes, master_key_id: text, created_at: integer } },
  api_keys: {
    key: ['position'],
    columns: {
      ...{ position: integer, id: text, mode: integer, tenant_id: text, scopes: text, data_classes: text, hash: bytes },
      ...{ created_at: integer, expires_at: integer, last_used_at: integer, revoked_at: integer },
    },
  },
  event_types: {
    key: ['mode', 'type'],
    columns: {
      ...{ mode: integer, type: text, revision: integer, definition: text, created_at: integer, updated_at: integer },
    },
  },
  tenants: {
    key: ['position'],
    columns: {
      ...{ position: integer, mode: integer, tenant_id: text, max_data_classes: text, events_per_second: 'float' },
      ...{ max_pending: integer, decides_since: integer, created_at: integer, updated_at: integer },
    },
  },
  runs: {
    key: ['ref'],
    columns: {
      ...{ ref: integer, mode: integer, tenant_id: text, run_id: text, last_sequence: integer, phase: integer },
      ...{ started: boolean, ended_by: text, lifecycle_warnings: integer, created_at: integer, updated_at: integer },
      ...{ agent_id: text, task_id: text, parent_run_id: text, status: text, status_at: integer, failure_at: integer },
      ended_at: integer,
    },
  },
  run_children: {
    key: ['run', 'kind', 'id'],
    columns: { run: integer, kind: integer, id: text, phase: integer },
  },
  approvals: {
    key: ['position'],
    columns: {
      ...{ position: integer, run: integer, mode: integer, tenant_id: text, id: text, status: text },
      ...{ decide_by: integer, requested_at: integer, ended_by: integer, created_at: integer, ended_at: integer },
      ended_here: boolean,
    },
  },
  events: {
    key: ['position'],
    columns: {
      ...{ position: integer, mode: integer, tenant_id: text, event_id: text, type: text, schema_version: integer },
      ...{ run: integer, sequence: integer, timestamp: integer, recorded_at: integer, expires_at: integer },
      ...{
        deadline: integer,
        fingerprint: bytes,
        prefix: bytes,
        source: bytes,
        data_start: integer,
        data_end: integer,
      },
      ...{ body_sha256: bytes, delivery_count: integer, classes: integer, warnings: text, erased_at: integer },
      retired: boolean,
    },
  },
  idempotency_keys: {
    key: ['mode', 'tenant_id', 'key'],
    columns: { mode: integer, tenant_id: text, key: text, event: integer },
  },
  bodies: {
    key: ['ref'],
    columns: { ref: integer, event: integer, body: bytes, sha256: bytes, classes: integer },
  },
  deliveries: {
    key: ['position'],
    columns: {
      ...{ position: integer, id: text, mode: integer, tenant_id: text, event: integer, endpoint: integer },
      ...{ body: integer, classes: integer, deadline: integer, status: integer, reason: text, attempt_count: integer },
      ...{ cycle_start: integer, known_outcomes: integer, last_outcome: integer, suspect: boolean },
      ...{ crashes_alone: integer, replays: integer, watch: integer, created_at: integer, updated_at: integer },
      ...{ discarded_at: integer, note: 'json' },
    },
  },
  queue: {
    key: ['delivery'],
    columns: {
      ...{ delivery: integer, endpoint: integer, mode: integer, tenant_id: text, classes: integer, deadline: integer },
      ...{ due_at: integer, node: integer, started_at: integer, trigger: integer, suspect: boolean },
      ...{ crashes_alone: integer, lane: integer },
    },
  },
  held_lanes: { key: ['delivery'], columns: { delivery: integer, endpoint: integer, lane: integer } },
  dead_letters: { key: ['delivery'], columns: { delivery: integer, mode: integer, tenant_id: text } },
  unannounced: { key: ['delivery'], columns: { delivery: integer } },
  attempts: {
    key: ['delivery', 'number'],
    columns: {
      ...{ delivery: integer, number: integer, trigger: integer, started_at: integer, duration_ms: 'float' },
      ...{ outcome: integer, status_code: integer, request_headers: text, response_headers: text, excerpt: bytes },
      ...{ truncated: boolean, phases: text },
    },
  },
  audit: {
    key: ['position'],
    columns: {
      ...{ position: integer, mode: integer, tenant_id: text, at: integer, actor: text, action: text, target: text },
      ...{ content: text, seq: integer, hash: text },
    },
  },
  audit_anchors: { key: ['mode'], columns: { mode: integer, seq: integer, hash: text } },
  notices: {
    key: ['position'],
    columns: {
      ...{
        position: integer,
        kind: text,
        mode: integer,
        tenant_id: text,
        endpoint_id: text,
        at: integer,
        reason: text,
      },
      ...{ failing_since: integer, delivery_id: text, event_id: text, event_type: text, run_id: text },
      ...{ attempt_count: integer, replays: integer, last_outcome: integer },
    },
  },
  retention_marks: { key: ['what', 'mode'], columns: { ...marks, position: integer } },
  retention_left: { key: ['what', 'mode', 'event'], columns: { ...marks, event: integer } },
  bulk_replays: {
    key: ['position'],
    columns: {
      ...{ position: integer, id: text, mode: integer, tenant_id: text, status: text, asked: text, counts: text },
      ...{ cursor: integer, node_id: text, fence: integer, created_at: integer, updated_at: integer },
      ended_at: integer,
    },
  },
  bulk_replay_items: { key: ['replay', 'delivery'], columns: { replay: integer, delivery: integer } },
} as const satisfies Record<string, MovedColumns>

export type MovedTable = keyof typeof MOVED
export const MOVED_TABLES = Object.keys(MOVED) as MovedTable[]

/** The same for every table, for those who treat them alike. */
export function columnsOf(table: MovedTable): MovedColumns {
  return MOVED[table]
}

/** Tables whose keys count up, with the highest that was ever given: it is not given again. */
export type LastKeys = Readonly<
  Record<
    | 'nodes'
    | 'endpoints'
    | 'api_keys'
    | 'runs'
    | 'bodies'
    | 'tenants'
    | 'audit'
    | 'bulk_replays'
    | 'approvals'
    | 'notices',
    number
  >
> & {
  /** Of events and of deliveries. */
  positions: number
}
