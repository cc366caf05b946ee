-- Every table is keyed by tenant and mode. Modes, statuses and outcomes are numbers: see ../codes.ts.
-- Times are service time in milliseconds. Rows reference each other by their integer keys, which grow in commit order.

CREATE TABLE settings (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO settings VALUES ('config_version', 1), ('high_water', 0);

CREATE TABLE nodes (
  ref INTEGER PRIMARY KEY AUTOINCREMENT,
  node_id TEXT NOT NULL UNIQUE,
  -- It said goodbye: what it still held was not cut off by a crash.
  left INTEGER NOT NULL DEFAULT 0,
  -- How many deliveries it held when its death was noticed.
  held_at_death INTEGER
);

CREATE TABLE endpoints (
  ref INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  mode INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  status INTEGER NOT NULL,
  disabled_reason TEXT,
  disabled_at INTEGER,
  failing_since INTEGER,
  -- Attempts of one cycle: the schedule's delays and one.
  max_attempts INTEGER NOT NULL,
  -- The rest of the endpoint as JSON; nothing in it is searched.
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  -- All its pending deliveries have been ended after its deletion.
  settled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX endpoints_tenant ON endpoints (mode, tenant_id, ref) WHERE deleted_at IS NULL;
CREATE INDEX endpoints_unsettled ON endpoints (ref) WHERE settled = 0 AND (deleted_at IS NOT NULL OR disabled_at IS NOT NULL);

CREATE TABLE secrets (
  id TEXT PRIMARY KEY,
  endpoint INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  -- Newest first among those made in the same millisecond.
  ordinal INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX secrets_endpoint ON secrets (endpoint);

CREATE TABLE api_keys (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  mode INTEGER NOT NULL,
  tenant_id TEXT,
  scopes TEXT NOT NULL,
  data_classes TEXT NOT NULL,
  hash BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
);

CREATE TABLE runs (
  ref INTEGER PRIMARY KEY AUTOINCREMENT,
  mode INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  last_sequence INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (mode, tenant_id, run_id)
);

CREATE TABLE events (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  mode INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  type TEXT NOT NULL,
  schema_version INTEGER NOT NULL,
  run INTEGER,
  sequence INTEGER,
  timestamp INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  expires_at INTEGER,
  deadline INTEGER,
  fingerprint BLOB NOT NULL,
  -- The uncut body is prefix, source[data_start .. data_end] and one closing brace: the data is kept once (details 8).
  prefix BLOB NOT NULL,
  source BLOB NOT NULL,
  data_start INTEGER NOT NULL,
  data_end INTEGER NOT NULL,
  body_sha256 BLOB NOT NULL,
  -- Deliveries made when it was accepted: part of the answer a duplicate gets.
  delivery_count INTEGER NOT NULL
);
CREATE UNIQUE INDEX events_id ON events (event_id, tenant_id, mode);
CREATE INDEX events_run ON events (run, position) WHERE run IS NOT NULL;

CREATE TABLE idempotency_keys (
  mode INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  key TEXT NOT NULL,
  event INTEGER NOT NULL,
  PRIMARY KEY (mode, tenant_id, key)
) WITHOUT ROWID;

CREATE TABLE deliveries (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  mode INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  event INTEGER NOT NULL,
  endpoint INTEGER NOT NULL,
  status INTEGER NOT NULL,
  reason TEXT,
  -- The attempt in flight included. With `node` it fences a claim.
  attempt_count INTEGER NOT NULL,
  -- Number of the first attempt since the latest replay.
  cycle_start INTEGER NOT NULL,
  -- Attempts of this cycle that ended other than `unknown`.
  known_outcomes INTEGER NOT NULL DEFAULT 0,
  -- What starts, or started, the current attempt.
  trigger INTEGER NOT NULL DEFAULT 0,
  -- Waiting for this time; NULL while in flight and after the end.
  due_at INTEGER,
  deadline INTEGER,
  -- Who has it in flight, and since when.
  node INTEGER,
  started_at INTEGER,
  -- In flight when a node died, and no outcome since (details 3).
  suspect INTEGER NOT NULL DEFAULT 0,
  crashes_alone INTEGER NOT NULL DEFAULT 0,
  last_outcome INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  discarded_at INTEGER,
  note TEXT
);
CREATE UNIQUE INDEX deliveries_id ON deliveries (id);
CREATE INDEX deliveries_event ON deliveries (event);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint, position);
-- These hold only what waits, is in flight, may expire, or is a dead letter: they stay small however long the history is.
CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, position) WHERE due_at IS NOT NULL AND suspect = 0;
CREATE INDEX deliveries_suspect ON deliveries (crashes_alone DESC, due_at, position) WHERE due_at IS NOT NULL AND suspect = 1;
CREATE INDEX deliveries_node ON deliveries (node) WHERE node IS NOT NULL;
CREATE INDEX deliveries_deadline ON deliveries (deadline) WHERE deadline IS NOT NULL AND due_at IS NOT NULL;
CREATE INDEX deliveries_dead ON deliveries (position) WHERE status = 2 AND discarded_at IS NULL;

CREATE TABLE attempts (
  delivery INTEGER NOT NULL,
  number INTEGER NOT NULL,
  trigger INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  duration_ms INTEGER,
  outcome INTEGER NOT NULL,
  status_code INTEGER,
  request_headers TEXT NOT NULL,
  response_headers TEXT NOT NULL,
  excerpt BLOB,
  truncated INTEGER NOT NULL,
  phases TEXT NOT NULL,
  PRIMARY KEY (delivery, number)
) WITHOUT ROWID;
