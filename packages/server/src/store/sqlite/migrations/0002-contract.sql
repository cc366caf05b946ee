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

-- Of events accepted before there were schemas nobody knows the classes: all of them, so that what is shown or sent of one
-- from now on is cut first.
ALTER TABLE events ADD COLUMN classes INTEGER NOT NULL DEFAULT 2047;
-- JSON: part of the answer a duplicate gets.
ALTER TABLE events ADD COLUMN warnings TEXT;

-- NULL: the uncut body.
ALTER TABLE deliveries ADD COLUMN body INTEGER;
-- Of deliveries made before: everything that can be granted, except for those that are pending, see below.
ALTER TABLE deliveries ADD COLUMN classes INTEGER NOT NULL DEFAULT 1023;
-- How often it was reopened: it can end again after each.
ALTER TABLE deliveries ADD COLUMN replays INTEGER NOT NULL DEFAULT 0;
-- 1: it asks for an approval, and somebody is told if it ends without reaching its endpoint. 2: that was done.
ALTER TABLE deliveries ADD COLUMN watch INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_unannounced ON deliveries (position) WHERE watch = 1 AND status >= 2;

-- What is pending was promised whole and goes out whole: it has the classes that its endpoint is granted now, so that it is
-- in order until the grants are narrowed. The bits are those of core/data-classes.ts.
UPDATE deliveries SET classes = granted.mask FROM (
  SELECT p.ref, 5 | coalesce((
    SELECT sum(DISTINCT bits.bit) FROM json_each(p.config, '$.dataClasses') AS named
    JOIN (
      SELECT 'operational' AS name, 2 AS bit UNION ALL SELECT 'personal', 8 UNION ALL SELECT 'prompt', 16
      UNION ALL SELECT 'message', 32 UNION ALL SELECT 'document', 64 UNION ALL SELECT 'tool_input', 128
      UNION ALL SELECT 'tool_output', 256 UNION ALL SELECT 'memory', 512
    ) AS bits ON bits.name = named.value
  ), 0) AS mask
  FROM endpoints p
) AS granted WHERE granted.ref = deliveries.endpoint AND deliveries.status = 0;
-- What has ended before is old news; it is watched again once it is replayed.
UPDATE deliveries SET watch = CASE status WHEN 0 THEN 1 ELSE 2 END
WHERE event IN (SELECT position FROM events WHERE type = 'agent.approval.requested');

-- The last grants were narrower than the ones before: pending deliveries may send too much.
ALTER TABLE endpoints ADD COLUMN narrowed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX endpoints_narrowed ON endpoints (ref) WHERE narrowed = 1;

ALTER TABLE runs ADD COLUMN phase INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN started INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN ended_by TEXT;
ALTER TABLE runs ADD COLUMN lifecycle_warnings INTEGER NOT NULL DEFAULT 0;
-- Runs that are under way are where their last fact left them, so that the next one is not taken for a breach. The numbers
-- are those of RUN_PHASES.
UPDATE runs SET
  started = EXISTS (SELECT 1 FROM events e WHERE e.run = runs.ref AND e.type = 'agent.run.started'),
  ended_by = (
    SELECT e.type FROM events e WHERE e.run = runs.ref AND e.type IN (
      'agent.run.completed', 'agent.run.partially_completed', 'agent.run.failed', 'agent.run.cancelled')
    ORDER BY e.position LIMIT 1);
UPDATE runs SET phase = CASE WHEN ended_by IS NOT NULL THEN 6 ELSE coalesce((
  SELECT CASE e.type
      WHEN 'agent.run.queued' THEN 1 WHEN 'agent.run.waiting' THEN 3 WHEN 'agent.run.retrying' THEN 4
      WHEN 'agent.run.outcome_unknown' THEN 5 ELSE 2 END
    FROM events e WHERE e.run = runs.ref AND e.type IN (
      'agent.run.queued', 'agent.run.started', 'agent.run.waiting', 'agent.run.retrying', 'agent.run.handed_off',
      'agent.run.resumed', 'agent.run.outcome_unknown')
    ORDER BY e.position DESC LIMIT 1), 0) END;

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
