-- Deliveries of ordered endpoints take turns within their run: see ../../turns.ts, and `lanes.ts` for the rest of it.

-- How its deliveries are ordered, as a number of ORDERINGS.
ALTER TABLE endpoints ADD COLUMN ordering INTEGER NOT NULL DEFAULT 0;
-- The run in whose lane it is; NULL: it takes no turns, or none any more.
ALTER TABLE deliveries ADD COLUMN lane INTEGER;
CREATE INDEX deliveries_lane ON deliveries (endpoint, lane, position) WHERE lane IS NOT NULL;

-- The end of a lane's head makes the next one due, in the same transaction, whatever ended it. What was ended while it was in flight
-- has its turn until its attempt is over; a dead letter keeps it where the endpoint wants that.
CREATE TRIGGER deliveries_turn_over AFTER UPDATE OF status, node, discarded_at ON deliveries
WHEN OLD.lane IS NOT NULL AND NEW.status <> 0 AND NEW.node IS NULL
  AND (NEW.status <> 2 OR NEW.discarded_at IS NOT NULL OR (SELECT ordering FROM endpoints WHERE ref = NEW.endpoint) <> 2)
BEGIN
  UPDATE deliveries SET lane = NULL WHERE position = NEW.position;
  UPDATE deliveries SET due_at = NEW.updated_at
  WHERE position = (SELECT position FROM deliveries WHERE endpoint = OLD.endpoint AND lane = OLD.lane ORDER BY position LIMIT 1)
    AND due_at = 8640000000000000 AND OLD.due_at IS NOT 8640000000000000;
END;

CREATE TRIGGER deliveries_turn_gone AFTER DELETE ON deliveries WHEN OLD.lane IS NOT NULL
BEGIN
  UPDATE deliveries SET due_at = OLD.updated_at
  WHERE position = (SELECT position FROM deliveries WHERE endpoint = OLD.endpoint AND lane = OLD.lane ORDER BY position LIMIT 1)
    AND due_at = 8640000000000000 AND OLD.due_at IS NOT 8640000000000000;
END;
