-- Every table is keyed by tenant and mode. Modes, statuses and outcomes are numbers: see ../../codes.ts.
-- Times are service time in milliseconds, leases the time of the database. Rows reference each other by their integer keys.
-- Ids are compared byte by byte (COLLATE "C"): cheap, and the same order everywhere.
-- TEXT refuses NUL: what a stranger may have written stands as JSON text, which escapes it, or as BYTEA.

CREATE TABLE settings (name TEXT COLLATE "C" PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO settings VALUES ('config_version', 1), ('high_water', 0);

CREATE TABLE server_secrets (name TEXT COLLATE "C" PRIMARY KEY, value BYTEA NOT NULL);

CREATE TABLE nodes (
  ref BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  node_id TEXT COLLATE "C" NOT NULL UNIQUE,
  -- By the clock of the database.
  lease_until TIMESTAMPTZ NOT NULL,
  -- It said goodbye: what it still held was not cut off by a crash.
  has_left BOOLEAN NOT NULL DEFAULT FALSE,
  -- How many deliveries it held when somebody began to rescue them: from then on it is dead for good.
  held_at_death INTEGER
);

CREATE TABLE endpoints (
  ref BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  status SMALLINT NOT NULL,
  disabled_reason TEXT,
  disabled_at BIGINT,
  failing_since BIGINT,
  -- Attempts of one cycle: the schedule's delays and one.
  max_attempts INTEGER NOT NULL,
  -- The rest of the endpoint as JSON; nothing in it is searched.
  config TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,
  -- All its pending deliveries have been ended after its deletion.
  settled BOOLEAN NOT NULL DEFAULT FALSE,
  -- The last grants were narrower than the ones before: pending deliveries may send too much.
  narrowed BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX endpoints_tenant ON endpoints (mode, tenant_id, ref) WHERE deleted_at IS NULL;
CREATE INDEX endpoints_unsettled ON endpoints (ref)
  WHERE NOT settled AND (deleted_at IS NOT NULL OR disabled_at IS NOT NULL);
CREATE INDEX endpoints_narrowed ON endpoints (ref) WHERE narrowed;
CREATE INDEX endpoints_deleted ON endpoints (ref) WHERE deleted_at IS NOT NULL AND settled;

CREATE TABLE secrets (
  id TEXT COLLATE "C" PRIMARY KEY,
  endpoint BIGINT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  -- Of ed25519 secrets: `whpk_…`.
  public_key TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  -- Newest first among those made in the same millisecond.
  ordinal INTEGER NOT NULL
);
CREATE INDEX secrets_endpoint ON secrets (endpoint);
CREATE INDEX secrets_public ON secrets (id) WHERE public_key IS NOT NULL;

-- The keys that seal secrets, each wrapped by a master key, which is never here.
CREATE TABLE data_keys (
  owner TEXT COLLATE "C" PRIMARY KEY,
  wrapped BYTEA NOT NULL,
  master_key_id TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
  position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C",
  scopes TEXT NOT NULL,
  data_classes TEXT NOT NULL,
  hash BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  revoked_at BIGINT
);

CREATE TABLE event_types (
  mode SMALLINT NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  revision INTEGER NOT NULL,
  definition TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (mode, type)
);

CREATE TABLE tenants (
  position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  -- JSON; NULL: anything.
  max_data_classes TEXT,
  -- What a tenant may publish; NULL: as much as any other.
  events_per_second DOUBLE PRECISION,
  max_pending BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (mode, tenant_id)
);

CREATE TABLE runs (
  ref BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  run_id TEXT COLLATE "C" NOT NULL,
  last_sequence INTEGER NOT NULL,
  phase SMALLINT NOT NULL,
  started BOOLEAN NOT NULL,
  ended_by TEXT,
  lifecycle_warnings INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT runs_id UNIQUE (mode, tenant_id, run_id)
) WITH (fillfactor = 80);

-- Tool calls and approvals of a run.
CREATE TABLE run_children (
  run BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  phase SMALLINT NOT NULL,
  PRIMARY KEY (run, kind, id)
);

-- Positions of events and deliveries rise in the order of commits: whoever takes some holds the lock of positions until the
-- commit (details 22). One sequence for both.
CREATE SEQUENCE positions CACHE 1;

CREATE TABLE events (
  position BIGINT PRIMARY KEY,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  schema_version INTEGER NOT NULL,
  run BIGINT,
  sequence INTEGER,
  timestamp BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  expires_at BIGINT,
  deadline BIGINT,
  fingerprint BYTEA NOT NULL,
  -- The uncut body is prefix, source[data_start .. data_end] and one closing brace: the data is kept once (details 8).
  prefix BYTEA NOT NULL,
  source BYTEA NOT NULL,
  data_start INTEGER NOT NULL,
  data_end INTEGER NOT NULL,
  body_sha256 BYTEA NOT NULL,
  -- Deliveries made when it was accepted: part of the answer a duplicate gets.
  delivery_count INTEGER NOT NULL,
  -- One bit for each data class whose values are in it.
  classes INTEGER NOT NULL,
  -- JSON: part of the answer a duplicate gets.
  warnings TEXT,
  -- When the payload was taken away: prefix and source are empty then, and so are the bodies of its deliveries.
  erased_at BIGINT,
  -- It went because payloads are kept no longer, and not on request.
  retired BOOLEAN NOT NULL DEFAULT FALSE
);
-- Nobody searches in bodies, and compressing them costs more than it saves.
ALTER TABLE events ALTER prefix SET STORAGE EXTERNAL, ALTER source SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX events_id ON events (event_id, tenant_id, mode);
CREATE INDEX events_run ON events (run, position) WHERE run IS NOT NULL;

CREATE TABLE idempotency_keys (
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  event BIGINT NOT NULL,
  CONSTRAINT idempotency_keys_id PRIMARY KEY (mode, tenant_id, key)
);
CREATE INDEX idempotency_keys_event ON idempotency_keys (event);

-- Distinct bodies of an event besides the uncut one, which is prefix and source of the event itself.
CREATE TABLE bodies (
  ref BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  event BIGINT NOT NULL,
  body BYTEA NOT NULL,
  sha256 BYTEA NOT NULL,
  classes INTEGER NOT NULL
);
ALTER TABLE bodies ALTER body SET STORAGE EXTERNAL;

-- What became of each delivery. No index is on a column that changes, so that an update stays on its page and touches none of
-- them; what waits or is in flight has a row in `queue` besides, which is small.
CREATE TABLE deliveries (
  position BIGINT PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  event BIGINT NOT NULL,
  endpoint BIGINT NOT NULL,
  -- NULL: the uncut body.
  body BIGINT,
  classes INTEGER NOT NULL,
  deadline BIGINT,
  status SMALLINT NOT NULL,
  reason TEXT,
  -- The attempt in flight included. With the node in `queue` it fences a claim.
  attempt_count INTEGER NOT NULL,
  -- Number of the first attempt since the latest replay.
  cycle_start INTEGER NOT NULL,
  -- Attempts of this cycle that ended other than `unknown`.
  known_outcomes INTEGER NOT NULL DEFAULT 0,
  last_outcome SMALLINT,
  -- In flight when a node died, and no outcome since (details 3). The same as in `queue`, and kept after the end.
  suspect BOOLEAN NOT NULL DEFAULT FALSE,
  crashes_alone INTEGER NOT NULL DEFAULT 0,
  -- How often it was reopened: it can end again after each.
  replays INTEGER NOT NULL DEFAULT 0,
  -- 1: it asks for an approval, and somebody is told if it ends without reaching its endpoint. 2: that was done.
  watch SMALLINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  discarded_at BIGINT,
  -- A string as JSON text.
  note TEXT
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX deliveries_id ON deliveries (id);
CREATE INDEX deliveries_event ON deliveries (event);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint, position);

-- One row for each delivery that waits (`due_at`) or is in flight (`node`), and for no other: it is pending, or it was ended
-- while its attempt was in flight.
CREATE TABLE queue (
  delivery BIGINT PRIMARY KEY,
  endpoint BIGINT NOT NULL,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  classes INTEGER NOT NULL,
  deadline BIGINT,
  -- Waiting for this time; NULL while in flight.
  due_at BIGINT,
  -- Who has it in flight, and since when; NULL while it waits.
  node BIGINT,
  started_at BIGINT,
  -- What starts, or started, the current attempt.
  trigger SMALLINT NOT NULL DEFAULT 0,
  suspect BOOLEAN NOT NULL DEFAULT FALSE,
  crashes_alone INTEGER NOT NULL DEFAULT 0,
  CHECK ((due_at IS NULL) <> (node IS NULL))
) WITH (
  fillfactor = 70,
  -- Rows come and go by the thousand: cleaned up after a few thousand instead of a fifth of the table.
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_scale_factor = 0.2,
  autovacuum_analyze_scale_factor = 0.1,
  autovacuum_analyze_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX queue_due ON queue (endpoint, due_at, delivery) WHERE due_at IS NOT NULL AND NOT suspect;
CREATE INDEX queue_suspect ON queue (crashes_alone DESC, due_at, delivery) WHERE due_at IS NOT NULL AND suspect;
CREATE INDEX queue_node ON queue (node, delivery) WHERE node IS NOT NULL;
CREATE INDEX queue_deadline ON queue (deadline) WHERE deadline IS NOT NULL AND due_at IS NOT NULL;
CREATE INDEX queue_tenant ON queue (mode, tenant_id) WHERE due_at IS NOT NULL;

-- Deliveries with status `dead_lettered` that nobody has discarded, and requests for approval that ended without reaching
-- their endpoint and of which nobody has been told. Kept by the trigger below.
CREATE TABLE dead_letters (delivery BIGINT PRIMARY KEY, mode SMALLINT NOT NULL, tenant_id TEXT COLLATE "C" NOT NULL);
CREATE TABLE unannounced (delivery BIGINT PRIMARY KEY);

CREATE FUNCTION list_delivery() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM dead_letters WHERE delivery = OLD.position;
    DELETE FROM unannounced WHERE delivery = OLD.position;
    RETURN NULL;
  END IF;
  IF NEW.status = 2 AND NEW.discarded_at IS NULL THEN
    INSERT INTO dead_letters VALUES (NEW.position, NEW.mode, NEW.tenant_id) ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM dead_letters WHERE delivery = NEW.position;
  END IF;
  IF NEW.watch = 1 AND NEW.status >= 2 THEN
    INSERT INTO unannounced VALUES (NEW.position) ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM unannounced WHERE delivery = NEW.position;
  END IF;
  RETURN NULL;
END $$;
-- Of the many updates that only go from pending to delivered none calls it.
CREATE TRIGGER deliveries_listed AFTER UPDATE ON deliveries FOR EACH ROW
  WHEN (NEW.status = 2 OR OLD.status = 2 OR NEW.watch <> 0)
  EXECUTE FUNCTION list_delivery();
CREATE TRIGGER deliveries_unlisted AFTER DELETE ON deliveries FOR EACH ROW
  WHEN (OLD.status = 2 OR OLD.watch <> 0)
  EXECUTE FUNCTION list_delivery();

CREATE TABLE attempts (
  delivery BIGINT NOT NULL,
  number INTEGER NOT NULL,
  trigger SMALLINT NOT NULL,
  started_at BIGINT NOT NULL,
  duration_ms DOUBLE PRECISION,
  outcome SMALLINT NOT NULL,
  status_code INTEGER,
  request_headers TEXT NOT NULL,
  response_headers TEXT NOT NULL,
  excerpt BYTEA,
  truncated BOOLEAN NOT NULL,
  phases TEXT NOT NULL,
  PRIMARY KEY (delivery, number)
);
ALTER TABLE attempts ALTER excerpt SET STORAGE EXTERNAL;

-- The audit log: one chain of hashes for each mode.
CREATE TABLE audit (
  position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mode SMALLINT NOT NULL,
  -- NULL: the matter of all tenants.
  tenant_id TEXT COLLATE "C",
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT COLLATE "C" NOT NULL,
  -- The entry as JSON text; what is hashed is exactly this.
  content TEXT NOT NULL,
  -- Its place in the chain, and the SHA-256 of the hash before it and its content; NULL until the sealer has come by.
  seq BIGINT,
  hash TEXT
);
CREATE UNIQUE INDEX audit_seq ON audit (mode, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_unsealed ON audit (mode, position) WHERE seq IS NULL;
CREATE INDEX audit_list ON audit (mode, position);
CREATE INDEX audit_tenant ON audit (mode, tenant_id, position);
CREATE INDEX audit_target ON audit (target, position);

-- The last entry that was pruned: the chain goes on from there.
CREATE TABLE audit_anchors (mode SMALLINT PRIMARY KEY, seq BIGINT NOT NULL, hash TEXT NOT NULL);

-- Append-only, also for whoever gets a statement into our own code.
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit FOR EACH ROW
  WHEN (OLD.seq IS NOT NULL OR (NEW.position, NEW.content, NEW.mode, NEW.tenant_id, NEW.at, NEW.actor, NEW.action, NEW.target)
    IS DISTINCT FROM (OLD.position, OLD.content, OLD.mode, OLD.tenant_id, OLD.at, OLD.actor, OLD.action, OLD.target))
  EXECUTE FUNCTION audit_refuse();
CREATE FUNCTION audit_pruned_only() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.seq IS NULL OR OLD.seq > coalesce((SELECT seq FROM audit_anchors WHERE mode = OLD.mode), 0) THEN
    RAISE EXCEPTION 'the audit log is append-only';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER audit_pruned_only BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_pruned_only();
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- How far each kind of removal has come in each mode: everything up to this event was removed, or is among what was left.
CREATE TABLE retention_marks (
  what TEXT COLLATE "C" NOT NULL,
  mode SMALLINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (what, mode)
);

-- Events that something pending still needed when their turn came.
CREATE TABLE retention_left (
  what TEXT COLLATE "C" NOT NULL,
  mode SMALLINT NOT NULL,
  event BIGINT NOT NULL,
  PRIMARY KEY (what, mode, event)
);
