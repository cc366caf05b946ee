-- Approvals, kept as their events are accepted: the request, and the first end.
CREATE TABLE approvals (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  -- A word of the contract.
  status TEXT NOT NULL,
  -- Until when it can be decided; NULL: for ever.
  decide_by INTEGER,
  -- `sequence` of the request and of the end in their run.
  requested_at INTEGER,
  ended_by INTEGER,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  -- The service ended it.
  ended_here INTEGER NOT NULL DEFAULT 0,
  UNIQUE (run, id)
);
CREATE INDEX approvals_id ON approvals (mode, id, tenant_id);
CREATE INDEX approvals_tenant ON approvals (mode, tenant_id, position);
CREATE INDEX approvals_pending ON approvals (mode, tenant_id, position) WHERE status = 'pending';
CREATE INDEX approvals_decide_by ON approvals (mode, tenant_id, decide_by) WHERE status = 'pending' AND decide_by IS NOT NULL;

-- Since when approvals of the tenant are decided through Runbell; NULL: they are not.
ALTER TABLE tenants ADD COLUMN decides_since INTEGER;
CREATE INDEX tenants_deciding ON tenants (mode, tenant_id) WHERE decides_since IS NOT NULL;
