-- 1: its payload went because payloads are kept no longer; 0: it is there, or it was erased on request.
ALTER TABLE events ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;

-- How far each kind of removal has come in each mode: everything up to this event was removed, or is among what was left.
CREATE TABLE retention_marks (
  what TEXT NOT NULL,
  mode INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (what, mode)
) WITHOUT ROWID;

-- Events that something pending still needed when their turn came.
CREATE TABLE retention_left (
  what TEXT NOT NULL,
  mode INTEGER NOT NULL,
  event INTEGER NOT NULL,
  PRIMARY KEY (what, mode, event)
) WITHOUT ROWID;

CREATE INDEX idempotency_keys_event ON idempotency_keys (event);
CREATE INDEX endpoints_deleted ON endpoints (ref) WHERE deleted_at IS NOT NULL AND settled = 1;
