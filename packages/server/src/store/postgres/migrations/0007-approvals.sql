-- Approvals, kept as their events are accepted: the request, and the first end.
CREATE TABLE approvals (
  position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run BIGINT NOT NULL,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  -- A word of the contract.
  status TEXT COLLATE "C" NOT NULL,
  -- Until when it can be decided; NULL: for ever.
  decide_by BIGINT,
  -- `sequence` of the request and of the end in their run.
  requested_at INTEGER,
  ended_by INTEGER,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  -- The service ended it.
  ended_here BOOLEAN NOT NULL DEFAULT FALSE,
  UNIQUE (run, id)
);
CREATE INDEX approvals_id ON approvals (mode, id, tenant_id);
CREATE INDEX approvals_tenant ON approvals (mode, tenant_id, position);
CREATE INDEX approvals_pending ON approvals (mode, tenant_id, position) WHERE status = 'pending';
CREATE INDEX approvals_decide_by ON approvals (mode, tenant_id, decide_by) WHERE status = 'pending' AND decide_by IS NOT NULL;

-- Since when approvals of the tenant are decided through Runbell; NULL: they are not.
ALTER TABLE tenants ADD COLUMN decides_since BIGINT;
CREATE INDEX tenants_deciding ON tenants (mode, tenant_id) WHERE decides_since IS NOT NULL;
