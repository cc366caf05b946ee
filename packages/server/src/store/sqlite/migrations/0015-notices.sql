-- What is yet to be said with service events; empty where no endpoint names them.
CREATE TABLE notices (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  mode INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  reason TEXT,
  failing_since INTEGER,
  delivery_id TEXT,
  event_id TEXT,
  event_type TEXT,
  run_id TEXT,
  attempt_count INTEGER,
  replays INTEGER,
  last_outcome INTEGER
);
-- Endpoints that name service events: whoever has none costs nothing more than a look here when a delivery becomes a dead letter.
CREATE INDEX endpoints_watching ON endpoints (mode, tenant_id) WHERE instr(config, '"runbell.') > 0;
CREATE INDEX endpoints_failing ON endpoints (failing_since) WHERE failing_since IS NOT NULL;
