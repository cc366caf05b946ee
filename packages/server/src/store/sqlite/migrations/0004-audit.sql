-- The audit log: one chain of hashes for each mode.
CREATE TABLE audit (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  mode INTEGER NOT NULL,
  -- NULL: the matter of all tenants.
  tenant_id TEXT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  -- The entry as JSON text; what is hashed is exactly this.
  content TEXT NOT NULL,
  -- Its place in the chain, and the SHA-256 of the hash before it and its content; NULL until the sealer has come by.
  seq INTEGER,
  hash TEXT
);
CREATE UNIQUE INDEX audit_seq ON audit (mode, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_unsealed ON audit (mode, position) WHERE seq IS NULL;
CREATE INDEX audit_list ON audit (mode, position);
CREATE INDEX audit_tenant ON audit (mode, tenant_id, position);
CREATE INDEX audit_target ON audit (target, position);

-- The last entry that was pruned: the chain goes on from there.
CREATE TABLE audit_anchors (mode INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL);

-- Append-only, also for whoever gets a statement into our own code.
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
WHEN OLD.seq IS NOT NULL OR NEW.position <> OLD.position OR NEW.content <> OLD.content OR NEW.mode <> OLD.mode
  OR NEW.tenant_id IS NOT OLD.tenant_id OR NEW.at <> OLD.at OR NEW.actor <> OLD.actor OR NEW.action <> OLD.action
  OR NEW.target <> OLD.target
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_pruned_only BEFORE DELETE ON audit
WHEN OLD.seq IS NULL OR OLD.seq > coalesce((SELECT seq FROM audit_anchors WHERE mode = OLD.mode), 0)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
