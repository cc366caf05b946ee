-- The keys that seal secrets, each wrapped by a master key, which is never here.
CREATE TABLE data_keys (
  owner TEXT PRIMARY KEY,
  wrapped BLOB NOT NULL,
  master_key_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Of ed25519 secrets: `whpk_…`.
ALTER TABLE secrets ADD COLUMN public_key TEXT;
CREATE INDEX secrets_public ON secrets (id) WHERE public_key IS NOT NULL;

-- Nothing needs the headers of an endpoint that is deleted.
UPDATE endpoints SET config = json_set(config, '$.headers', json('{}')) WHERE deleted_at IS NOT NULL;
