-- Bulk replays, and the deliveries that they have reopened or made and whose end has not been counted yet.
CREATE TABLE bulk_replays (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  mode INTEGER NOT NULL,
  -- NULL: of all tenants.
  tenant_id TEXT,
  status TEXT NOT NULL,
  -- JSON: what was asked for, and what has come of it.
  asked TEXT NOT NULL,
  counts TEXT NOT NULL,
  -- Everything up to this position is done.
  cursor INTEGER NOT NULL,
  -- Who works on it, and how often it has changed hands.
  node_id TEXT,
  fence INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  ended_at INTEGER
);
CREATE INDEX bulk_replays_running ON bulk_replays (position) WHERE status = 'running';
CREATE INDEX bulk_replays_tenant ON bulk_replays (mode, tenant_id, position);

CREATE TABLE bulk_replay_items (
  replay INTEGER NOT NULL,
  delivery INTEGER NOT NULL,
  PRIMARY KEY (replay, delivery)
) WITHOUT ROWID;
