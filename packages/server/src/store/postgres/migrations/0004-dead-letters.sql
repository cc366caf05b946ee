-- The newest dead letters of one tenant, however many others have.
CREATE INDEX dead_letters_tenant ON dead_letters (mode, tenant_id, delivery);
