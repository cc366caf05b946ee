-- What is yet to be said with service events; empty where no endpoint names them.
CREATE TABLE notices (
  position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,
  mode SMALLINT NOT NULL,
  tenant_id TEXT COLLATE "C" NOT NULL,
  endpoint_id TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  reason TEXT COLLATE "C",
  failing_since BIGINT,
  delivery_id TEXT COLLATE "C",
  event_id TEXT COLLATE "C",
  event_type TEXT COLLATE "C",
  run_id TEXT COLLATE "C",
  attempt_count INTEGER,
  replays INTEGER,
  last_outcome SMALLINT
);
-- Endpoints that name service events: whoever has none costs nothing more than a look here when a delivery becomes a dead letter.
CREATE INDEX endpoints_watching ON endpoints (mode, tenant_id) WHERE position('"runbell.' IN config) > 0;
CREATE INDEX endpoints_failing ON endpoints (failing_since) WHERE failing_since IS NOT NULL;

-- As before, and a notice for each delivery that becomes a dead letter; none about deliveries of service events.
CREATE OR REPLACE FUNCTION list_delivery() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM dead_letters WHERE delivery = OLD.position;
    DELETE FROM unannounced WHERE delivery = OLD.position;
    RETURN NULL;
  END IF;
  IF NEW.status = 2 AND OLD.status <> 2 THEN
    INSERT INTO notices (kind, mode, tenant_id, endpoint_id, at, reason, delivery_id, event_id, event_type, run_id, attempt_count,
      replays, last_outcome)
    SELECT 'dead_lettered', p.mode, p.tenant_id, p.id, NEW.updated_at, NEW.reason, NEW.id, e.event_id, e.type,
      (SELECT run_id FROM runs WHERE ref = e.run), NEW.attempt_count, NEW.replays, NEW.last_outcome
    FROM endpoints p, events e
    WHERE p.ref = NEW.endpoint AND e.position = NEW.event AND NOT starts_with(e.type, 'runbell.') AND EXISTS (
      SELECT 1 FROM endpoints w WHERE w.mode = p.mode AND w.tenant_id IN (p.tenant_id, '*')
        AND position('"runbell.' IN w.config) > 0 AND w.deleted_at IS NULL AND w.status <> 2);
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
