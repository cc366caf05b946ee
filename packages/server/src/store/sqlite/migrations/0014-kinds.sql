-- What is fetched, and what somebody listens for: a number of the kind, as in ../../codes.ts. All that were there are sent to over HTTP.
ALTER TABLE endpoints ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
-- Of endpoints of kind `relay`: when somebody was last known to listen.
ALTER TABLE endpoints ADD COLUMN listened_at INTEGER;
CREATE INDEX endpoints_relay ON endpoints (listened_at) WHERE listened_at IS NOT NULL AND deleted_at IS NULL;
