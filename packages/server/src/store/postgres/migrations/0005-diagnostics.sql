-- Diagnostics: a table that nothing else refers to. Rows come in the order of positions and go in it, oldest first.
CREATE TABLE diagnostics (
  position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mode SMALLINT NOT NULL,
  tenant_id TEXT NOT NULL,
  run_id TEXT,
  trace_id TEXT,
  name TEXT NOT NULL,
  severity SMALLINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  body TEXT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);
CREATE INDEX diagnostics_tenant ON diagnostics (mode, tenant_id, position);
CREATE INDEX diagnostics_run ON diagnostics (mode, run_id, position) WHERE run_id IS NOT NULL;
CREATE INDEX diagnostics_trace ON diagnostics (mode, trace_id, position) WHERE trace_id IS NOT NULL;
CREATE INDEX diagnostics_age ON diagnostics (mode, recorded_at);
