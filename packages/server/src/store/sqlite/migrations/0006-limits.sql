-- What a tenant may publish; NULL: as much as any other.
ALTER TABLE tenants ADD COLUMN events_per_second REAL;
ALTER TABLE tenants ADD COLUMN max_pending INTEGER;

-- To count what waits. Deliveries that start as soon as they are accepted are never in it.
CREATE INDEX deliveries_waiting ON deliveries (mode, tenant_id) WHERE due_at IS NOT NULL;
