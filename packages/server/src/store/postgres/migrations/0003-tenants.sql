-- The newest of one tenant, however much came of others since.
CREATE INDEX events_tenant ON events (mode, tenant_id, position);
CREATE INDEX deliveries_tenant ON deliveries (mode, tenant_id, position);
