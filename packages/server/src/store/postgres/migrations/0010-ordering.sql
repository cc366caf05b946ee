-- Deliveries of ordered endpoints take turns within their run: see ../../turns.ts, and `lanes.ts` for the rest of it.

-- How its deliveries are ordered, as a number of ORDERINGS.
ALTER TABLE endpoints ADD COLUMN ordering SMALLINT NOT NULL DEFAULT 0;
-- The run in whose lane it is; NULL: it takes no turns.
ALTER TABLE queue ADD COLUMN lane BIGINT;
CREATE INDEX queue_lane ON queue (endpoint, lane, delivery) WHERE lane IS NOT NULL;

-- Dead letters that hold their lanes.
CREATE TABLE held_lanes (delivery BIGINT PRIMARY KEY, endpoint BIGINT NOT NULL, lane BIGINT NOT NULL);
CREATE INDEX held_lanes_lane ON held_lanes (endpoint, lane);

-- Lanes whose head has ended. Whoever claims next for the endpoint gives the turn on: that takes the lock of the run, and here others
-- are held already.
CREATE TABLE turns (endpoint BIGINT NOT NULL, lane BIGINT NOT NULL, PRIMARY KEY (endpoint, lane));

-- The end of a lane's head is on record in the transaction that ends it, whatever that is. A dead letter keeps its turn where the
-- endpoint wants that.
CREATE FUNCTION end_turn() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM queue WHERE delivery = OLD.delivery) THEN
    -- It waits again.
    RETURN NULL;
  END IF;
  IF EXISTS (
    SELECT 1 FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint
    WHERE d.position = OLD.delivery AND d.status = 2 AND d.discarded_at IS NULL AND p.ordering = 2
  ) THEN
    INSERT INTO held_lanes VALUES (OLD.delivery, OLD.endpoint, OLD.lane) ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO turns VALUES (OLD.endpoint, OLD.lane) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER queue_turn_over AFTER DELETE ON queue FOR EACH ROW
  WHEN (OLD.lane IS NOT NULL AND OLD.due_at IS DISTINCT FROM 8640000000000000)
  EXECUTE FUNCTION end_turn();

-- A dead letter that is discarded, or gone, holds nothing; one that is reopened is the head itself again.
CREATE FUNCTION release_lane() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  held held_lanes;
BEGIN
  DELETE FROM held_lanes WHERE delivery = OLD.position RETURNING * INTO held;
  IF held.delivery IS NOT NULL AND (TG_OP = 'DELETE' OR NEW.status <> 0) THEN
    INSERT INTO turns VALUES (held.endpoint, held.lane) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER deliveries_lane_released AFTER UPDATE ON deliveries FOR EACH ROW
  WHEN (OLD.status = 2 AND (NEW.status <> 2 OR NEW.discarded_at IS NOT NULL))
  EXECUTE FUNCTION release_lane();
CREATE TRIGGER deliveries_lane_gone AFTER DELETE ON deliveries FOR EACH ROW
  WHEN (OLD.status = 2)
  EXECUTE FUNCTION release_lane();
