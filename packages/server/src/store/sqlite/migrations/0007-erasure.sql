-- When the payload was erased: prefix and source are empty then, and so are the bodies of its deliveries.
ALTER TABLE events ADD COLUMN erased_at INTEGER;
