-- The event contract: bodies cut for their endpoints, lifecycles, the catalog, and tenants with limits.

-- Distinct bodies of an event besides the uncut one, which is prefix and source of the event itself.
CREATE TABLE bodies (
  ref INTEGER PRIMARY KEY AUTOINCREMENT,
  event INTEGER NOT NULL,
  body BLOB NOT NULL,
  sha256 BLOB NOT NULL,
  -- One bit for each data class whose values are in it.
  classes INTEGER NOT NULL
);

ALTER TABLE events ADD COLUMN classes INTEGER NOT NULL DEFAULT 0;
-- JSON: part of the answer a duplicate gets.
ALTER TABLE events ADD COLUMN warnings TEXT;

-- NULL: the uncut body.
ALTER TABLE deliveries ADD COLUMN body INTEGER;
ALTER TABLE deliveries ADD COLUMN classes INTEGER NOT NULL DEFAULT 0;
-- 1: it asks for an approval, and somebody is told if it ends without reaching its endpoint. 2: that was done.
ALTER TABLE deliveries ADD COLUMN watch INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_unannounced ON deliveries (position) WHERE watch = 1 AND status >= 2;

-- The last grants were narrower than the ones before: pending deliveries may send too much.
ALTER TABLE endpoints ADD COLUMN narrowed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX endpoints_narrowed ON endpoints (ref) WHERE narrowed = 1;

ALTER TABLE runs ADD COLUMN phase INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN started INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN ended_by TEXT;
ALTER TABLE runs ADD COLUMN lifecycle_warnings INTEGER NOT NULL DEFAULT 0;

-- Tool calls and approvals of a run.
CREATE TABLE run_children (
  run INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  id TEXT NOT NULL,
  phase INTEGER NOT NULL,
  PRIMARY KEY (run, kind, id)
) WITHOUT ROWID;

CREATE TABLE event_types (
  mode INTEGER NOT NULL,
  type TEXT NOT NULL,
  revision INTEGER NOT NULL,
  definition TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (mode, type)
) WITHOUT ROWID;

CREATE TABLE tenants (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  mode INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  -- JSON; NULL: anything.
  max_data_classes TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (mode, tenant_id)
);
