-- What a run has come to, kept as its events are accepted.
ALTER TABLE runs ADD COLUMN agent_id TEXT;
ALTER TABLE runs ADD COLUMN task_id TEXT;
ALTER TABLE runs ADD COLUMN parent_run_id TEXT;
-- A word of the contract; NULL: no event of agent.run.* has come.
ALTER TABLE runs ADD COLUMN status TEXT;
-- `sequence` of the event it is from, and of the latest one of a failure.
ALTER TABLE runs ADD COLUMN status_at INTEGER;
ALTER TABLE runs ADD COLUMN failure_at INTEGER;
ALTER TABLE runs ADD COLUMN ended_at INTEGER;
CREATE INDEX runs_tenant ON runs (mode, tenant_id, ref);
CREATE INDEX runs_task ON runs (mode, tenant_id, task_id, ref) WHERE task_id IS NOT NULL;
CREATE INDEX runs_parent ON runs (mode, tenant_id, parent_run_id, ref) WHERE parent_run_id IS NOT NULL;

-- Of runs from before it is known where they are, and not by which event.
UPDATE runs SET
  status = CASE
    WHEN ended_by IS NOT NULL THEN substr(ended_by, length('agent.run.') + 1)
    ELSE CASE phase WHEN 1 THEN 'queued' WHEN 2 THEN 'running' WHEN 3 THEN 'waiting' WHEN 4 THEN 'retrying' WHEN 5 THEN 'unknown' END
  END,
  ended_at = CASE WHEN ended_by IS NOT NULL THEN updated_at END;
